/**
 * How long a leader has been silent, and how much silence its follower bears. Silence counts from an unanswered ping on, and only while
 * this node itself was awake: if a timer fires late, this process was not given a processor, and what the leader said meanwhile is still
 * unread. A leader whose answers have been slow of late is borne with for longer, since it has a busy machine or a slow network.
 */
export type Silence = {
  /** Milliseconds in which the leader was not heard, while a ping was unanswered and this node was awake. */
  silentMs: number;
  /** The time up to which silence is counted. */
  countedMs: number;
  /** The length of the timer that runs. What passes beyond its end is counted up to `LATE_MS`. */
  armedMs: number;
  /** The time from a ping to its pong, the longest of late: each pong lets it fade. */
  slowestMs: number;
  /** Maps the tag of each ping that is not answered yet to the time when it was sent. */
  readonly asked: Map<number, number>;
};

export type Patience = {
  readonly leastMs: number;
  readonly mostMs: number;
};

/** A timer that is late by more than this tells that the whole process was. */
const LATE_MS = 50;
/** Silence of this many times the slowest answer of late is borne. */
const SLOWEST_TIMES = 2;
/** What is left of the slowest answer after each further one. */
const FADING = 0.9;

export function newSilence(): Silence {
  return { silentMs: 0, countedMs: 0, armedMs: 0, slowestMs: 0, asked: new Map() };
}

/** For another leader, of which nothing is known. */
export function forgetSilence(silence: Silence, nowMs: number): void {
  silence.slowestMs = 0;
  silence.asked.clear();
  breakSilence(silence, nowMs);
}

/** The leader was heard. */
export function breakSilence(silence: Silence, nowMs: number): void {
  // The timer that runs has begun earlier, so it now has less to run.
  silence.armedMs = Math.max(0, silence.armedMs - (nowMs - silence.countedMs));
  silence.silentMs = 0;
  silence.countedMs = nowMs;
}

/** Counts the silence up to now, and from now on with a timer of this length. */
export function countSilence(silence: Silence, nowMs: number, armedMs: number): void {
  const passedMs = Math.min(nowMs - silence.countedMs, silence.armedMs + LATE_MS);
  if (silence.asked.size > 0) silence.silentMs += passedMs;
  silence.countedMs = nowMs;
  silence.armedMs = armedMs;
}

export function noteAsked(silence: Silence, tag: number, nowMs: number): void {
  silence.asked.set(tag, nowMs);
}

/** The ping with this tag is answered. Those before it have nothing to tell any more. */
export function noteAnswered(silence: Silence, tag: number, nowMs: number): void {
  const askedMs = silence.asked.get(tag);
  if (askedMs !== undefined) {
    silence.slowestMs = Math.max(nowMs - askedMs, silence.slowestMs * FADING);
  }
  for (const earlier of silence.asked.keys()) {
    if (earlier <= tag) silence.asked.delete(earlier);
  }
}

/** Milliseconds of silence that are borne. */
export function patienceMs({ slowestMs }: Silence, { leastMs, mostMs }: Patience): number {
  return Math.min(Math.max(leastMs, SLOWEST_TIMES * slowestMs), mostMs);
}
