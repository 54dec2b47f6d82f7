/**
 * Subscribers of change streams and live copies over a few native clients, for the profile `streams`: each path and each kind of stream,
 * from now or from the past, some fast and some slow. What each is given is held against the history that the first stream tells, once
 * that has come so far: every change of its filter exactly once, in order; every view as it was at its zxid.
 */
import { type Client, connect, GapError, type Lag } from "../../client/connect.ts";
import type { ChangeStream } from "../../client/streams/change-stream.ts";
import { formatZxid } from "../../protocol/zxid.ts";
import { Followed, KINDS, type Kind } from "./followed.ts";
import { type History, LIVE, LOGS, REGISTERS, ROOT } from "./history.ts";
import { pause } from "./pause.ts";
import type { Random } from "./random.ts";
import type { Truth } from "./truth.ts";

export type SubscribersOptions = {
  readonly urls: string;
  readonly history: History;
  readonly truth: Truth;
  readonly random: Random;
  readonly count: number;
};

const CLIENTS = 5;
const SESSION_TIMEOUT_MS = 8_000;
const RETRY_MS = 250;
const CHECK_MS = 200;
const SLOW_MS_MAX = 40;
const CATCH_UP_MS_MAX = 60_000;
/** What a client keeps for one subscriber, what a portion has beyond that, and the largest transaction of the load. */
const WAITING_MAX = 8_192 + 1_023 + 64;

export class Subscribers {
  readonly #options: SubscribersOptions;
  readonly #ended = new AbortController();
  readonly #followed: Followed[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #clients: Promise<Client>[] = [];
  readonly #timer: NodeJS.Timeout;
  /** In the end all are as fast as they can. */
  #hurries = false;
  #waitingMax = 0;
  #sessions = 0;

  constructor(options: SubscribersOptions) {
    this.#options = options;
    const { random, count, truth } = options;
    for (let each = 0; each < CLIENTS; each += 1) this.#clients.push(this.#connect());
    for (let each = 0; each < count; each += 1) {
      const kind: Kind = KINDS[each % KINDS.length] ?? "changes";
      const path =
        kind === "value" ? random.pick(REGISTERS) : random.pick([ROOT, LIVE, `${LOGS}-0-0`]);
      const followed = new Followed(`subscriber ${each + 1}`, { kind, path, truth });
      this.#followed.push(followed);
      const slowMs = random.chance(0.3) ? random.integer(1, SLOW_MS_MAX) : 0;
      this.#running.push(this.#run(followed, each % CLIENTS, slowMs));
    }
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  /** After the load has ended: all come to the end. Returns what they were given, in words. */
  async finish(signal: AbortSignal): Promise<string> {
    const { history, truth } = this.#options;
    this.#hurries = true;
    const limitMs = performance.now() + CATCH_UP_MS_MAX;
    const late = (): Followed[] => this.#followed.filter((each) => !each.isThere(truth.told));
    while (late().length > 0 && performance.now() < limitMs && !signal.aborted && !truth.isOver) {
      await pause(CHECK_MS, signal);
      this.#check();
    }
    if (!truth.isOver && !signal.aborted) {
      for (const each of late()) {
        const to = formatZxid(truth.told);
        history.violations.add("stream", `${each.name} does not come to ${to}: ${each.describe()}`);
      }
    }
    await this.close();
    const sum = (of: (each: Followed) => number): number =>
      this.#followed.reduce((all, each) => all + of(each), 0);
    return [
      `${this.#followed.length} subscribers: ${sum((each) => each.changes)} changes`,
      `${sum((each) => each.views)} views, ${sum((each) => each.gaps)} gaps`,
      `${sum((each) => each.compared)} compared, ${this.#sessions} sessions`,
      `at most ${this.#waitingMax} changes waiting for one`,
    ].join(", ");
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort();
    await Promise.all(this.#running);
    const clients = await Promise.allSettled(this.#clients);
    await Promise.allSettled(
      clients.map(async (client) => {
        if (client.status === "fulfilled") await client.value.close();
      }),
    );
  }

  #check(): void {
    const { truth } = this.#options;
    for (const each of this.#followed) each.check(truth.told);
  }

  async #connect(): Promise<Client> {
    const { urls } = this.#options;
    for (;;) {
      try {
        const client = await connect(urls, {
          ensemble: "soak",
          sessionTimeoutMs: SESSION_TIMEOUT_MS,
        });
        this.#sessions += 1;
        return client;
      } catch (error) {
        if (this.#ended.signal.aborted) throw error;
        await pause(RETRY_MS, this.#ended.signal);
      }
    }
  }

  /** Follows in one session after the other, each time from where it stood. */
  async #run(followed: Followed, place: number, slowMs: number): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const connecting = this.#clients[place];
      try {
        const client = await connecting;
        if (client === undefined) return;
        await this.#follow(followed, client, slowMs);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof GapError) {
          followed.gap(error.to);
          continue;
        }
        // The session is over; whoever notices it first begins the next.
        if (this.#clients[place] === connecting) this.#clients[place] = this.#connect();
        await pause(RETRY_MS, signal);
      }
    }
  }

  async #follow(followed: Followed, client: Client, slowMs: number): Promise<void> {
    const { signal } = this.#ended;
    const stream: ChangeStream<unknown> = followed.open(client, signal);
    const watching = stream.lag$.subscribe((lag) => this.#lag(followed, lag));
    try {
      for await (const item of stream) {
        followed.given(item);
        if (slowMs > 0 && !this.#hurries) await pause(slowMs, signal);
      }
    } finally {
      watching.unsubscribe();
    }
    throw new Error("the client is closed");
  }

  #lag({ name }: Followed, { waiting }: Lag): void {
    this.#waitingMax = Math.max(this.#waitingMax, waiting);
    if (waiting <= WAITING_MAX) return;
    this.#options.history.violations.add("stream", `${waiting} changes wait for ${name}`);
  }
}
