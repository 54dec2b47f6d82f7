/**
 * The admin actor asks other actors for their parts of an answer, and answers when it has them all. It asks for one answer at a time, so
 * that however many ask, one listing is made at once; those who ask for the same word meanwhile share the next one.
 */
import {
  WATCHES_ANSWER_BYTES_MAX,
  WORD_ANSWER_BYTES_MAX,
  WORD_ASKED_MS_MAX,
} from "../../protocol/limits.ts";
import type { TellEffect } from "../../runtime/effects.ts";
import { assert, unreachable } from "../../protocol/assert.ts";
import { argumentIn, type WordArgument } from "../../protocol/zookeeper/word-argument.ts";
import type { GatewayName } from "../gateway/messages.ts";
import { tell } from "../inboxes.ts";
import type { Gathered, Part } from "./messages.ts";

export type Asker =
  /** A connection of a gateway, which has asked a four-letter word. */
  | { readonly kind: "client"; readonly from: GatewayName; readonly client: number }
  /** A request to the server. */
  | { readonly kind: "server"; readonly request: number };

/** `argument`: what `argumentIn` reads, of a word that is about one thing. */
export type Asked = { readonly word: Gathered; readonly argument: string | undefined };

type Wish = Asked & { readonly asker: Asker; readonly sinceMs: number };

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

export function gather(work: GatheringWork, { word, argument }: Asked, asker: Asker): void {
  const { gatherings, nowMs } = work;
  dropOld(gatherings, nowMs);
  gatherings.waiting.push({ word, argument, asker, sinceMs: nowMs });
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
  const { word, argument } = first;
  const isSame = (wish: Wish): boolean => wish.word === word && wish.argument === argument;
  const question = gatherings.nextQuestion;
  const askers = gatherings.waiting.filter(isSame).map(({ asker }) => asker);
  const asked = questionsOf({ word, argument }, question, work.lanes);
  gatherings.nextQuestion += 1;
  gatherings.waiting = gatherings.waiting.filter((wish) => !isSame(wish));
  const awaited = new Set(asked.map(({ to }) => to));
  gatherings.current = { question, word, askers, sinceMs: nowMs, awaited, parts: [] };
  for (const effect of asked) effects.push(effect);
}

function questionsOf({ word, argument }: Asked, question: number, lanes: number): TellEffect[] {
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
    case "heat": {
      const kind = word === "busy" ? "tellBusy" : "tellLatencies";
      const message = { kind, question } as const;
      return numbers.flatMap((lane) => [
        tell(`zookeeper/${lane}`, message),
        tell(`nats/${lane}`, message),
      ]);
    }
    case "sess": {
      // Half for the sessions that are connected here, a quarter each for all, and for when they end.
      const ofGateway = Math.floor(WORD_ANSWER_BYTES_MAX / (4 * lanes));
      const bytesMax = Math.floor(WORD_ANSWER_BYTES_MAX / 4);
      const message = { kind: "listConnectedSessions", question, bytesMax: ofGateway } as const;
      return [
        tell("sessions", { kind: "listSessions", question, word, bytesMax }),
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
        tell("sessions", { kind: "listSessions", question, word, bytesMax }),
        // All lanes hold the same ephemerals.
        tell("tree/1", { kind: "listEphemerals", question, bytesMax }),
        ...numbers.map((lane) => tell(`zookeeper/${lane}`, message)),
      ];
    }
    case "wtch":
      return watchesQuestions(argumentOf(argument), question, numbers);
    case "ephemerals":
      return ephemeralsQuestions(argumentOf(argument), question);
    default:
      return unreachable(word);
  }
}

function watchesQuestions(
  argument: WordArgument,
  question: number,
  lanes: readonly number[],
): TellEffect[] {
  // A session is at one gateway, and the others have nothing to list of it.
  const sharers = argument.kind === "session" ? 1 : 2 * lanes.length;
  const bytesMax = Math.floor(WATCHES_ANSWER_BYTES_MAX / sharers);
  const message = { kind: "findWatches", question, argument, bytesMax } as const;
  return lanes.flatMap((lane) => [
    tell(`zookeeper/${lane}`, message),
    tell(`nats/${lane}`, message),
  ]);
}

function ephemeralsQuestions(argument: WordArgument, question: number): TellEffect[] {
  assert(argument.kind === "session", "ephemerals are those of a session");
  const { session, after } = argument;
  return [tell("tree/1", { kind: "listSessionEphemerals", question, session, after })];
}

/** Whoever asks about something has looked that it is an argument. */
function argumentOf(text: string | undefined): WordArgument {
  const argument = argumentIn(text ?? "");
  assert(argument !== undefined, "a question about nothing");
  return argument;
}
