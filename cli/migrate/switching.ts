/** The switch: clients wait while the target gets the last of the source's changes, and then find themselves at the target. */
import { differencesOf } from "./difference.ts";
import type { Follow } from "./follow.ts";
import type { Mirror } from "./mirror.ts";
import type { Relay } from "./relay/relay.ts";

export type Switched =
  | {
      readonly kind: "switched";
      /** From when no request was passed on to the source to when the target took them. */
      readonly pausedMs: number;
      /** Znodes that were made equal, or found equal, meanwhile. */
      readonly znodes: number;
      readonly clients: number;
    }
  /** Clients go on at the source. */
  | { readonly kind: "givenUp"; readonly reason: string };

export type SwitchOptions = {
  readonly relay: Relay;
  readonly follow: Follow;
  /** How long clients may wait. */
  readonly pauseMs: number;
  /** The paths of the relay's clients that are the migration's. */
  readonly mine: (paths: Iterable<string>) => readonly string[];
  readonly onFirstAnswer: () => void;
};

/** The target may end a container between two looks, and has it again then. */
const ROUNDS_MAX = 3;

export async function switchOver(mirror: Mirror, options: SwitchOptions): Promise<Switched> {
  const { relay, pauseMs } = options;
  const fromMs = performance.now();
  let isLate = false;
  relay.pause();
  const timer = setTimeout(() => {
    isLate = true;
    relay.resume();
  }, pauseMs);
  try {
    if (!(await relay.drained(pauseMs)))
      return { kind: "givenUp", reason: "the source has not answered all requests in time" };
    const last = await lastChanges(mirror, options);
    if (isLate) return { kind: "givenUp", reason: `it would have taken more than ${pauseMs} ms` };
    if (last.different !== undefined) {
      return { kind: "givenUp", reason: `${last.different} is not equal` };
    }
    const { clients } = relay;
    relay.switch(options.onFirstAnswer);
    return { kind: "switched", pausedMs: performance.now() - fromMs, znodes: last.znodes, clients };
  } finally {
    clearTimeout(timer);
    // After the switch there is nothing to resume.
    relay.resume();
  }
}

/** Every request that the source was given is answered, so what it has now is all that it will have from clients of the relay. */
async function lastChanges(
  mirror: Mirror,
  { relay, follow, mine }: SwitchOptions,
): Promise<{ readonly znodes: number; readonly different: string | undefined }> {
  const { signal } = mirror;
  await mirror.source.client.sync("/", { signal });
  const written = mine([...relay.takeWritten(), ...relay.doubted]);
  const paths = new Set([...written, ...follow.take(), ...mirror.childlessThere]);
  let different: string | undefined;
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    await mirror.settleAt(paths);
    different = (await mirror.pairs(paths)).flatMap(differencesOf)[0]?.path;
    if (different === undefined) break;
  }
  return { znodes: paths.size, different };
}
