/** A client inside a simulated node: an actor that opens a session and creates sequential nodes without end. */
import { tell } from "../../actors/inboxes.ts";
import type { Written } from "../../actors/submitter/messages.ts";
import { OPEN_ACL } from "../../protocol/acl.ts";
import type { SessionId } from "../../protocol/ids.ts";
import type { ClientOperation, Operation, OperationResult } from "../../protocol/operations.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import type { Actor, Context } from "../../runtime/actor.ts";
import type { Effect, TimerMessage } from "../../runtime/effects.ts";

export type SimClientOptions = {
  /** Unique in the run: part of every token. */
  readonly name: string;
  readonly outstanding: number;
  readonly thinkMs: number;
  readonly sessionTimeoutMs: number;
  readonly acknowledge: (path: string, token: string, zxid: Zxid) => void;
};

type State = {
  session: SessionId | undefined;
  attachedAt: Zxid;
  sent: number;
  /** Of the writes without a result, oldest first. Empty: not a create. */
  readonly tokens: string[];
};

export function simClientActor(options: SimClientOptions): Actor<State, Written | TimerMessage> {
  const self = `client/${options.name}`;
  const write = (operation: Operation): Effect =>
    tell("submitter/1", { kind: "write", from: self, client: 1, operations: [operation] });
  const timers: readonly Effect[] = [
    { kind: "startTimer", timer: "think", afterMs: options.thinkMs },
    { kind: "startTimer", timer: "touch", afterMs: options.sessionTimeoutMs / 4 },
  ];

  function think(state: State, context: Context): Effect[] {
    const effects: Effect[] = [];
    while (state.session !== undefined && state.tokens.length < options.outstanding) {
      state.sent += 1;
      const token = `${options.name}-${state.sent}`;
      const { operation, creates } = draw(token, context);
      state.tokens.push(creates ? token : "");
      const { session, attachedAt } = state;
      effects.push(write({ kind: "client", session, attachedAt, operation }));
    }
    return effects;
  }

  function written(state: State, message: Written): void {
    message.results.forEach((result, index) => {
      const zxid = message.zxids[index] ?? (0 as Zxid);
      if (result.kind === "session") {
        state.session = result.session;
        state.attachedAt = result.attachedAt;
      } else {
        acknowledge(options, state.tokens.shift() ?? "", result, zxid);
        if (result.kind === "error" && result.code === -112) state.session = undefined;
      }
    });
  }

  return {
    name: self,
    supervision: "stopNode",
    mailbox: { capacity: 10_000, whenFull: "stopNode" },
    start: (context) => ({
      state: { session: undefined, attachedAt: 0 as Zxid, sent: 0, tokens: [] },
      effects: [
        ...timers,
        write({
          kind: "createSession",
          timeoutMs: options.sessionTimeoutMs,
          password: context.randomBytes(16),
        }),
      ],
    }),
    receive: (state, message, context) => {
      if (message.kind === "written") {
        written(state, message);
        return { state, effects: [] };
      }
      if (message.timer === "think") {
        const again: Effect = { kind: "startTimer", timer: "think", afterMs: options.thinkMs };
        return { state, effects: [...think(state, context), again] };
      }
      const effects: Effect[] = [
        { kind: "startTimer", timer: "touch", afterMs: options.sessionTimeoutMs / 4 },
      ];
      if (state.session !== undefined) {
        effects.push(tell("heartbeat", { kind: "touched", sessions: [state.session] }));
      }
      return { state, effects };
    },
  };
}

function draw(
  token: string,
  context: Context,
): { readonly operation: ClientOperation; readonly creates: boolean } {
  const chance = context.random();
  const data = new TextEncoder().encode(token);
  const persistent = { ephemeral: false, sequential: false };
  if (chance < 0.1) {
    const acl = OPEN_ACL;
    return {
      operation: { kind: "create", path: "/seq", data: null, acl, mode: persistent },
      creates: false,
    };
  }
  if (chance < 0.2) {
    const mode = { ephemeral: true, sequential: true };
    return {
      operation: { kind: "create", path: "/live-", data, acl: OPEN_ACL, mode },
      creates: false,
    };
  }
  if (chance < 0.4) {
    return { operation: { kind: "setData", path: "/seq", data, version: -1 }, creates: false };
  }
  const mode = { ephemeral: false, sequential: true };
  const create = { kind: "create", path: "/seq/n-", data, acl: OPEN_ACL, mode } as const;
  if (chance > 0.9) {
    const check = { kind: "check", path: "/seq", version: -1 } as const;
    return { operation: { kind: "multi", operations: [check, create] }, creates: true };
  }
  return { operation: create, creates: true };
}

function acknowledge(
  options: SimClientOptions,
  token: string,
  result: OperationResult,
  zxid: Zxid,
): void {
  if (token === "") return;
  if (result.kind === "created") options.acknowledge(result.path, token, zxid);
  if (result.kind !== "multi") return;
  for (const each of result.results) {
    if (each.kind === "created") options.acknowledge(each.path, token, zxid);
  }
}
