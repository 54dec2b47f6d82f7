/** The actors that outlive failures of their own. Apart, so that mutants can name them before what they mutate is loaded. */
export const SURVIVORS = [
  "admin",
  "election",
  "heartbeat",
  "zookeeper/1",
  "nats/1",
  "changes",
  "feed/1",
  "reaper",
] as const;

export type Survivor = (typeof SURVIVORS)[number];

export function isSurvivor(name: string | undefined): name is Survivor {
  return SURVIVORS.some((survivor) => survivor === name);
}

/** Those that go on with the state that they had when they failed (supervision `recover`). The others are started again. */
export const KEEPS_STATE: ReadonlySet<Survivor> = new Set([
  "zookeeper/1",
  "nats/1",
  "changes",
  "feed/1",
]);
