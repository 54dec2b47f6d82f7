/**
 * Sessions are asked for through a bucket of tokens: each takes one, and the bucket is filled at a rate. Who finds none waits in line for
 * the time of a handshake. So a crowd that comes at once, as after an outage, reaches the log at the rate that is configured. Source:
 * BlueThrottle of ZooKeeper, which closes the connection of whoever finds no token.
 */
import type { Connection, Turn } from "./state.ts";

export type TokenTerms = {
  /** Tokens of a full bucket. 0: nobody needs one. */
  readonly tokensMax: number;
  /** So many tokens come in each of these intervals. */
  readonly fillCount: number;
  readonly fillMs: number;
};

export const NO_TOKENS: TokenTerms = { tokensMax: 0, fillCount: 1, fillMs: 1 };

export type Tokens = {
  left: number;
  /** Until this time they have been counted. */
  filledMs: number;
  /** Connections that wait for one, the first first. */
  readonly waiting: Set<Connection>;
};

export function fullBucket({ tokensMax }: TokenTerms, nowMs: number): Tokens {
  return { left: tokensMax, filledMs: nowMs, waiting: new Set() };
}

/** Whether a session may be asked for now. Nobody overtakes those who wait. */
export function mayAskNow(turn: Turn): boolean {
  const { options, tokens } = turn.state;
  return options.tokens.tokensMax === 0 || (tokens.waiting.size === 0 && takeToken(turn));
}

/** The connection waits in line; its phase says so. */
export function awaitToken(turn: Turn, connection: Connection): void {
  const { waiting } = turn.state.tokens;
  if (waiting.size === 0) startTokenTimer(turn);
  waiting.add(connection);
}

/** Returns the next in line, and takes a token for it. Undefined: there is none left, or nobody waits. */
export function nextInLine(turn: Turn): Connection | undefined {
  const [first] = turn.state.tokens.waiting;
  return first !== undefined && takeToken(turn) ? first : undefined;
}

/** It fires when there is another token. */
export function startTokenTimer({ state, nowMs, effects }: Turn): void {
  const { tokens, options } = state;
  const afterMs = Math.max(1, Math.ceil(tokens.filledMs + options.tokens.fillMs - nowMs));
  effects.push({ kind: "startTimer", timer: "tokens", afterMs });
}

function takeToken({ state, nowMs }: Turn): boolean {
  const { tokens, options } = state;
  const { tokensMax, fillCount, fillMs } = options.tokens;
  const intervals = Math.floor((nowMs - tokens.filledMs) / fillMs);
  if (intervals > 0) {
    tokens.left = Math.min(tokensMax, tokens.left + intervals * fillCount);
    tokens.filledMs += intervals * fillMs;
  }
  if (tokens.left < 1) return false;
  tokens.left -= 1;
  return true;
}
