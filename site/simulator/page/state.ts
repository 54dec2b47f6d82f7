/** What the page shows: what is run, what came of it, the moment that is looked at, and what of it is wanted. */
import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  EVENT_KINDS,
  type EventKind,
  MESSAGE_KINDS,
  type MessageKind,
  type Recording,
} from "../../../test/sim/recording/recording.ts";
import type { Choice, FromWorker, Outcome, ToWorker } from "../messages.ts";
import { type Address, formatAddress, parseAddress, SEED_RULE } from "../model/address.ts";
import { Flights } from "../model/flights.ts";
import { Timeline } from "../model/timeline.ts";
import { Runner } from "./runner.ts";

/** Written into the bundle as it is made. */
declare const CHOICES: Choices;

export type Choices = {
  readonly mistakes: readonly { readonly name: string; readonly mistake: string }[];
  readonly plans: readonly string[];
  readonly placements: readonly string[];
};

export const choices: Choices = CHOICES;

/** Seeds that are tried in one search. */
const SEARCH_SEEDS_MAX = 200;

export type Running = {
  readonly seed: number;
  readonly virtualMs: number;
  readonly passed: number;
};

export type Shown = {
  readonly address: Address;
  readonly outcome: Outcome;
  readonly recording: Recording;
  readonly flights: Flights;
  readonly passed: number;
  readonly tookMs: number;
};

const named = parseAddress(location.search);
/** What runs, or has been run last. The form may have something else by now. */
let asked: Address = named.address;

/** What is to be run next, as the form has it. */
export const wanted: Signal<Address> = signal<Address>(named.address);
/** Undefined: nothing runs. */
export const running: Signal<Running | undefined> = signal<Running | undefined>(undefined);
export const problem: Signal<string> = signal("");
export const shown: Signal<Shown | undefined> = signal<Shown | undefined>(undefined);
export const atMs: Signal<number> = signal(0);
export const isPlaying: Signal<boolean> = signal(false);
/** Virtual milliseconds in one second. */
export const speed: Signal<number> = signal(20);
export const eventKinds: Signal<ReadonlySet<EventKind>> = signal<ReadonlySet<EventKind>>(
  new Set(EVENT_KINDS),
);
export const messageKinds: Signal<ReadonlySet<MessageKind>> = signal<ReadonlySet<MessageKind>>(
  new Set(MESSAGE_KINDS),
);
/** Messages are in the list of events, too. */
export const listsMessages: Signal<boolean> = signal(false);

export const timeline: ReadonlySignal<Timeline | undefined> = computed(() => {
  const recording = shown.value?.recording;
  if (recording === undefined) return undefined;
  const messages = listsMessages.value ? messageKinds.value : new Set<MessageKind>();
  return new Timeline(recording, { events: eventKinds.value, messages });
});

const runner = new Runner(onMessage, (text) => {
  batch(() => {
    running.value = undefined;
    problem.value = text;
  });
});

/** Runs what the form has. */
export function runSeed(): void {
  ask((choice) => ({ kind: "run", choice }));
}

/** Runs the seeds from that of the form on, until one fails. */
export function searchSeeds(): void {
  ask((choice) => ({ kind: "search", choice, seedsMax: SEARCH_SEEDS_MAX }));
}

export function runNextSeed(): void {
  wanted.value = { ...wanted.value, seed: wanted.value.seed + 1, atMs: undefined };
  runSeed();
}

export function stopRun(): void {
  runner.stop();
  running.value = undefined;
}

export function goTo(ms: number | undefined): void {
  const end = shown.value?.recording.endMs ?? 0;
  if (ms !== undefined) atMs.value = Math.min(Math.max(0, ms), end);
}

function ask(message: (choice: Choice) => ToWorker): void {
  asked = wanted.value;
  const { seed, plan, placement, mistake } = asked;
  const missing = missingOf(asked);
  batch(() => {
    isPlaying.value = false;
    problem.value = missing === undefined ? "" : `There is no ${missing} here.`;
    running.value = missing === undefined ? { seed, virtualMs: 0, passed: 0 } : undefined;
  });
  if (missing === undefined) runner.ask(mistake, message({ seed, plan, placement }));
}

/** What an address names that the form does not have. */
function missingOf({ plan, placement, mistake }: Address): string | undefined {
  const { plans, placements, mistakes } = choices;
  if (plan !== "" && !plans.includes(plan)) return `plan ${plan}`;
  if (placement !== "" && !placements.includes(placement)) return `placement ${placement}`;
  if (mistake === "" || mistakes.some(({ name }) => name === mistake)) return undefined;
  return `planted mistake ${mistake}`;
}

function onMessage(message: FromWorker): void {
  switch (message.kind) {
    case "progress":
      running.value = { passed: 0, ...running.value, ...message };
      return;
    case "searched":
      running.value = { seed: message.seed, virtualMs: 0, passed: message.passed };
      return;
    case "done":
      show(message);
      return;
    case "failed":
      running.value = undefined;
      problem.value = message.text;
      return;
  }
}

function show(done: Extract<FromWorker, { readonly kind: "done" }>): void {
  const { choice, outcome, recording, passed, tookMs } = done;
  const address = { ...asked, seed: choice.seed };
  const isLast = outcome.kind === "violated";
  const isUntouched = wanted.value.seed === asked.seed;
  batch(() => {
    running.value = undefined;
    if (isUntouched) wanted.value = { ...wanted.value, seed: choice.seed, atMs: undefined };
    shown.value = {
      ...{ address, outcome, recording, passed, tookMs },
      flights: new Flights(recording.messages),
    };
    goTo(address.atMs ?? (isLast ? recording.endMs : 0));
  });
}

/** The address follows what is shown, but not while it moves. */
effect(() => {
  const address = shown.value?.address;
  if (address === undefined || isPlaying.value) return undefined;
  const at = atMs.value;
  const pending = setTimeout(() => {
    history.replaceState(null, "", formatAddress({ ...address, atMs: at }) + location.hash);
  }, 400);
  return () => clearTimeout(pending);
});

if (named.seed === "right") runSeed();
else if (named.seed === "wrong") problem.value = SEED_RULE;
