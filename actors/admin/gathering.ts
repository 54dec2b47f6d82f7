/**
 * The admin actor asks other actors for their parts of an answer, and answers when it has them all. It asks for one answer at a time, so
 * that however many ask, one listing is made at once; those who ask for the same word meanwhile share the next one.
 */
import { WORD_ANSWER_BYTES_MAX, WORD_ASKED_MS_MAX } from "../../protocol/limits.ts";
import type { TellEffect } from "../../runtime/effects.ts";
import { unreachable } from "../../protocol/assert.ts";
import type { GatewayName } from "../gateway/messages.ts";
import { tell } from "../inboxes.ts";
import type { Gathered, Part } from "./messages.ts";

export type Asker =
  /** A connection of a gateway, which has asked a four-letter word. */
  | { readonly kind: "client"; readonly from: GatewayName; readonly client: number }
  /** A request to the server. */
  | { readonly kind: "server"; readonly request: number };

type Wish = { readonly word: Gathered; readonly asker: Asker; readonly sinceMs: number };

export type Gatherings = {
  /** The number of the next question. A later one has a higher number, also after this actor was started again. */
  nextQuestion: number;
  current:
    | {
        readonly question: number;
        readonly word: Gathered;
        readonly askers: readonly Asker[];
        readonly sinceMs: number;
        /** These have not answered yet. */
        readonly awaited: Set<string>;
        readonly parts: Part[];
      }
    | undefined;
  /**
   * These asked while something else was gathered, the first of them first. So many wait as connections may ask and as requests over HTTP may be
   * under way: gateways and the admin server have limits for them. Whoever has waited for WORD_ASKED_MS_MAX is forgotten when another one asks.
   */
  waiting: Wish[];
};

/** An actor that failed over the question never answers it. Its askers are closed by their gateways, and whoever asks then has it asked again. */
const GATHERING_MS_MAX = 5000;

export function newGatherings(nowMs: number): Gatherings {
  return { nextQuestion: Math.floor(nowMs * 1000) + 1, current: undefined, waiting: [] };
}

/** What gathering needs of a turn. */
export type GatheringWork = {
  readonly gatherings: Gatherings;
  readonly lanes: number;
  readonly nowMs: number;
  readonly answer: (askers: readonly Asker[], word: Gathered, parts: readonly Part[]) => void;
  readonly effects: { push(effect: TellEffect): unknown };
};

export function gather(work: GatheringWork, word: Gathered, asker: Asker): void {
  const { gatherings, nowMs } = work;
  dropOld(gatherings, nowMs);
  gatherings.waiting.push({ word, asker, sinceMs: nowMs });
  const { current } = gatherings;
  if (current !== undefined && nowMs - current.sinceMs < GATHERING_MS_MAX) return;
  begin(work);
}

/** Nobody waits any more for those that are so old: gateways and the admin server have given them up. */
function dropOld(gatherings: Gatherings, nowMs: number): void {
  const { waiting } = gatherings;
  const first = waiting.findIndex(({ sinceMs }) => nowMs - sinceMs < WORD_ASKED_MS_MAX);
  if (first !== 0) gatherings.waiting = first === -1 ? [] : waiting.slice(first);
}

export function takePart(work: GatheringWork, part: Part): void {
  const { gatherings, answer } = work;
  const { current } = gatherings;
  if (current === undefined || part.question !== current.question) return;
  if (!current.awaited.delete(part.from)) return;
  current.parts.push(part);
  if (current.awaited.size > 0) return;
  answer(current.askers, current.word, current.parts);
  gatherings.current = undefined;
  begin(work);
}

/** Begins with the word that has waited for the longest. */
function begin(work: GatheringWork): void {
  const { gatherings, nowMs, effects } = work;
  const [first] = gatherings.waiting;
  if (first === undefined) return;
  const { word } = first;
  const question = gatherings.nextQuestion;
  const askers = gatherings.waiting.filter((wish) => wish.word === word).map(({ asker }) => asker);
  const asked = questionsOf(word, question, work.lanes);
  gatherings.nextQuestion += 1;
  gatherings.waiting = gatherings.waiting.filter((wish) => wish.word !== word);
  const awaited = new Set(asked.map(({ to }) => to));
  gatherings.current = { question, word, askers, sinceMs: nowMs, awaited, parts: [] };
  for (const effect of asked) effects.push(effect);
}

function questionsOf(word: Gathered, question: number, lanes: number): TellEffect[] {
  const numbers = Array.from({ length: lanes }, (_, index) => index + 1);
  switch (word) {
    case "crst":
      return numbers.map((lane) =>
        tell(`zookeeper/${lane}`, { kind: "resetConnections", question }),
      );
    case "stat":
    case "srst": {
      const kind = word === "stat" ? "tellMetrics" : "resetMetrics";
      const message = { kind, question } as const;
      return numbers.flatMap((lane) => [
        tell(`zookeeper/${lane}`, message),
        tell(`nats/${lane}`, message),
      ]);
    }
    case "cons":
    case "connections": {
      const bytesMax = Math.floor(WORD_ANSWER_BYTES_MAX / lanes);
      const message = { kind: "listConnections", question, word, bytesMax } as const;
      return numbers.map((lane) => tell(`zookeeper/${lane}`, message));
    }
    case "wchs":
    case "wchc":
    case "wchp": {
      const bytesMax = Math.floor(WORD_ANSWER_BYTES_MAX / lanes);
      const message = { kind: "listWatches", question, word, bytesMax } as const;
      return numbers.map((lane) => tell(`zookeeper/${lane}`, message));
    }
    case "busy":
      return numbers.flatMap((lane) => [
        tell(`zookeeper/${lane}`, { kind: "tellBusy", question }),
        tell(`nats/${lane}`, { kind: "tellBusy", question }),
      ]);
    case "heat":
      return numbers.flatMap((lane) => [
        tell(`zookeeper/${lane}`, { kind: "tellLatencies", question }),
        tell(`nats/${lane}`, { kind: "tellLatencies", question }),
      ]);
    case "sess": {
      // Half for the sessions that are connected here, half for all.
      const bytesMax = Math.floor(WORD_ANSWER_BYTES_MAX / 2);
      const ofGateway = Math.floor(bytesMax / (2 * lanes));
      const message = { kind: "listConnectedSessions", question, bytesMax: ofGateway } as const;
      return [
        tell("tree/1", { kind: "listSessionCounts", question, bytesMax }),
        ...numbers.flatMap((lane) => [
          tell(`zookeeper/${lane}`, message),
          tell(`nats/${lane}`, message),
        ]),
      ];
    }
    case "dump": {
      const bytesMax = Math.floor(WORD_ANSWER_BYTES_MAX / (lanes + 2));
      const message = { kind: "listConnections", question, word, bytesMax } as const;
      return [
        tell("sessions", { kind: "listSessions", question, bytesMax }),
        // All lanes hold the same ephemerals.
        tell("tree/1", { kind: "listEphemerals", question, bytesMax }),
        ...numbers.map((lane) => tell(`zookeeper/${lane}`, message)),
      ];
    }
    default:
      return unreachable(word);
  }
}
