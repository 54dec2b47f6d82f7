/** A native client: it writes and reads over NATS, and follows everything below the root in one change stream. */
import type { Subscription } from "rxjs";
import {
  type Client,
  connect,
  GapError,
  type Progress,
  type SessionState,
  type Zxid,
  ZooidError,
} from "../../client/connect.ts";
import { Code } from "../../protocol/codes.ts";
import { ChangeStream, type StreamChange } from "./change-stream.ts";
import type { Folders } from "./folders.ts";
import { type History, REGISTERS, ROOT } from "./history.ts";
import type { Change } from "../../protocol/reads.ts";
import { LateStream } from "./late-stream.ts";
import type { Random } from "./random.ts";
import { pause } from "./pause.ts";
import { tokenOf } from "./sequences.ts";
import { SessionView } from "./sessions.ts";
import { type Root, Truth, type Witness } from "./truth.ts";

export type NativeLoadOptions = {
  readonly name: string;
  readonly urls: string;
  readonly history: History;
  readonly random: Random;
  readonly folders: Folders;
  readonly thinkMs: number;
  readonly timeoutMs: number;
};

const RETRY_MS = 100;
const ROUND_REQUESTS_MAX = 4;
const LATE_STREAM_EVERY_MS = 5000;
const LATE_STREAM_MS_MAX = 30_000;
const CODE_DISK_FULL = "ZOOID_DISK_FULL";
const CODE_NODE_EXISTS = "ZOOID_NODE_EXISTS";
/** Whether it was done is unknown, or nobody could be asked. */
const CODES_OF_TROUBLE = new Set([
  "ZOOID_OPERATION_TIMEOUT",
  "ZOOID_SESSION_EXPIRED",
  "ZOOID_UNREACHABLE",
  "ZOOID_CLOSED",
]);

export class NativeLoad {
  readonly stream: ChangeStream;
  readonly truth: Truth;
  readonly #options: NativeLoadOptions;
  readonly #witness: Witness;
  #client: Client;
  #view: SessionView;
  #subscription: Subscription | undefined;
  #state: SessionState = { kind: "connecting" };
  #server: number | undefined;
  #phase: "load" | "idle" | "closed" = "load";
  #number = 0;
  #lateMs = 0;
  #done: Promise<void> = Promise.resolve();

  /** The stream tells everything that happens after the root has been created. */
  static async open(options: NativeLoadOptions): Promise<NativeLoad> {
    const client = await connectOnce(options);
    await client.create(ROOT);
    const { stat, data } = await client.get(ROOT);
    return new NativeLoad(options, client, { path: ROOT, stat, data });
  }

  private constructor(options: NativeLoadOptions, client: Client, root: Root) {
    const { history } = options;
    this.truth = new Truth(history.violations, root);
    this.#witness = this.truth.witness(options.name);
    this.#options = options;
    this.#client = client;
    this.#view = this.#follow(client);
    this.stream = new ChangeStream({
      violations: history.violations,
      from: root.stat.czxid,
      wasDeleted: (path) => history.ephemerals.wasDeleted(path),
      wasSent: (token) => history.sequences.wasSent(token),
      isMulti: (token) => history.isMulti(token),
    });
    this.#subscribe(client);
  }

  /** For what has to be there before any load. */
  get client(): Client {
    return this.#client;
  }

  start(): void {
    this.#done = this.#run();
  }

  idle(): void {
    this.#phase = "idle";
  }

  async close(): Promise<void> {
    this.#phase = "closed";
    await this.#done;
    this.#subscription?.unsubscribe();
    await this.#client.close();
  }

  /** Makes a last change, and waits until the stream has told it. False: the signal came first. */
  async caughtUp(signal: AbortSignal): Promise<boolean> {
    let target: number | undefined;
    while (!signal.aborted) {
      if (target === undefined) {
        const made = await this.#client.set(ROOT, "the end").catch(() => undefined);
        target = made?.mzxid;
      } else if (this.stream.zxid >= target) {
        return true;
      }
      await pause(RETRY_MS, signal);
    }
    return false;
  }

  async #run(): Promise<void> {
    while (this.#phase !== "closed") {
      if (this.#state.kind === "expired" || this.#state.kind === "closed") {
        await this.#connectAgain();
      } else if (this.#phase === "load") {
        this.#openLateStream(this.#client);
        await this.#round();
      }
      await delay(this.#options.thinkMs);
    }
  }

  async #connectAgain(): Promise<void> {
    const { history } = this.#options;
    if (this.#state.kind === "expired") history.counts.expired += 1;
    const client = await connectOnce(this.#options).catch(() => undefined);
    if (client === undefined) return;
    this.#subscription?.unsubscribe();
    await this.#client.close();
    this.#client = client;
    this.#view = this.#follow(client);
    this.#subscribe(client);
  }

  #follow(client: Client): SessionView {
    const { history, name } = this.#options;
    history.counts.sessions += 1;
    client.state$.subscribe((state) => {
      if (this.#client !== client) return;
      this.#state = state;
      if (state.kind === "reconnecting" && this.#server !== undefined) {
        history.lost(name, this.#server - 1, state.reason);
      }
      this.#server = state.kind === "connected" ? state.server : undefined;
    });
    return new SessionView(history.violations, name);
  }

  #subscribe(client: Client): void {
    const from = this.stream.zxid as Zxid;
    const changes = client.changes(ROOT, { recursive: true, from, progressMs: 0 });
    this.#subscription = changes.subscribe({
      next: (event) => this.#heard(event),
      error: (error) => {
        if (error instanceof GapError) void this.#resume(client);
        // Otherwise the session is over: the next client takes the stream up where it stopped.
      },
    });
  }

  #heard(event: Change | Progress): void {
    if (event.kind === "progress") {
      this.stream.progress(event.zxid);
      this.truth.through(event.zxid);
    } else {
      const { history } = this.#options;
      const change = streamChange(event);
      const { kind, path, owner } = change;
      this.stream.change(change);
      this.truth.change(event);
      history.streamed(change.token, path);
      if (kind === "deleted" && owner !== 0) {
        history.ephemerals.sawGone(path, BigInt(owner), performance.now());
      }
    }
  }

  /** From somewhere in the past, up to where the first one is now. */
  #openLateStream(client: Client): void {
    const nowMs = performance.now();
    if (nowMs - this.#lateMs < LATE_STREAM_EVERY_MS || this.truth.isOver) return;
    this.#lateMs = nowMs;
    const { history, random } = this.#options;
    const { violations, counts } = history;
    const { changes } = this.truth.model;
    const through = this.stream.zxid;
    const from = random.pick(changes).zxid;
    const late = new LateStream({ violations, from, history: changes });
    const events = client.changes(ROOT, { recursive: true, from, progressMs: 0 });
    const limit = setTimeout(() => subscription.unsubscribe(), LATE_STREAM_MS_MAX);
    const subscription = events.subscribe({
      next: (event) => {
        if (event.kind !== "progress") {
          late.change(streamChange(event));
        } else if (event.zxid >= through) {
          clearTimeout(limit);
          subscription.unsubscribe();
          counts.lateStreams += 1;
          if (!this.truth.isOver) late.end(through);
        }
      },
      complete: () => clearTimeout(limit),
      error: (error) => {
        clearTimeout(limit);
        // Otherwise the session is over.
        if (!(error instanceof GapError)) return;
        counts.compacted += 1;
        late.compacted(error.to);
      },
    });
  }

  /** Goes on after a read that shows everything up to its zxid. */
  async #resume(client: Client): Promise<void> {
    while (this.#client === client && this.#phase !== "closed") {
      try {
        await client.sync(ROOT);
        const { zxid } = await client.get(ROOT);
        this.stream.compacted(zxid);
        this.truth.compacted();
        if (this.#client === client) this.#subscribe(client);
        return;
      } catch {
        await delay(RETRY_MS);
      }
    }
  }

  async #round(): Promise<void> {
    const { random } = this.#options;
    const count = random.integer(1, ROUND_REQUESTS_MAX);
    const asked = Array.from({ length: count }, () => this.#request());
    for (const outcome of await Promise.allSettled(asked)) {
      if (outcome.status === "fulfilled") continue;
      const { reason } = outcome as { readonly reason: unknown };
      if (isRefusal(reason)) continue;
      if (reason instanceof ZooidError && CODES_OF_TROUBLE.has(reason.code)) continue;
      const shown = `${this.#options.name}: ${String(reason)}`;
      this.#options.history.violations.add("unexpected-answer", shown);
    }
  }

  #request(): Promise<void> {
    const { random, folders } = this.#options;
    const next = folders.next();
    if (next !== undefined) return this.#createFolder(next);
    const register = random.pick(REGISTERS);
    const draw = random.next();
    if (draw < 0.4) return this.#create();
    if (draw < 0.6) return this.#set(register);
    if (draw < 0.8) return this.#read(register, undefined);
    return this.#syncAndRead(register);
  }

  async #createFolder(path: string): Promise<void> {
    const { folders } = this.#options;
    const there = await this.#client.create(path).then(
      () => true,
      (error: unknown) => error instanceof ZooidError && error.code === CODE_NODE_EXISTS,
    );
    folders.prepared(there);
  }

  #create(): Promise<void> {
    const { history, folders } = this.#options;
    const token = this.#token();
    const asked = this.#client.create(`${folders.take()}/n-`, token, { sequential: true });
    return this.#write(token, asked, ({ path, stat }) => {
      history.sequences.acknowledged(token, path, BigInt(stat.czxid));
      this.#witness.wrote({ path, zxid: stat.czxid, data: token, stat });
    });
  }

  #set(path: string): Promise<void> {
    const { registers } = this.#options.history;
    const [view, token] = [this.#view, this.#token()];
    registers.sent(token);
    const floor = registers.floor(path);
    return this.#write(token, this.#client.set(path, token), (stat) => {
      const { version, mzxid } = stat;
      registers.set({ path, version, token, mzxid: BigInt(mzxid) }, floor);
      view.saw(path, version);
      this.#witness.wrote({ path, zxid: mzxid, data: token, stat });
    });
  }

  async #read(path: string, floor: number | undefined): Promise<void> {
    const { registers, counts } = this.#options.history;
    const view = this.#view;
    const { data, stat, zxid } = await this.#client.get(path);
    counts.reads += 1;
    const { version } = stat;
    const token = new TextDecoder().decode(data ?? new Uint8Array());
    registers.read({ path, version, token, mzxid: BigInt(stat.mzxid) }, floor);
    view.saw(path, version);
    const body = { kind: "data", data, stat } as const;
    this.#witness.read({ read: "getData", path, zxid, code: Code.ok, body });
  }

  /** How it ended is counted; what was acknowledged is told before anything that is acknowledged later. */
  async #write<Result>(
    token: string,
    asked: Promise<Result>,
    told: (result: Result) => void,
  ): Promise<void> {
    const { history } = this.#options;
    let result: Result;
    try {
      result = await asked;
    } catch (error) {
      if (isRefusal(error)) history.refused(token);
      else history.unknown();
      throw error;
    }
    history.wrote();
    told(result);
  }

  async #syncAndRead(path: string): Promise<void> {
    const floor = this.#options.history.registers.floor(path);
    // Not at once: a read that is asked again after a lost connection might then come before the sync.
    await this.#client.sync(ROOT);
    await this.#read(path, floor);
  }

  #token(): string {
    const { history, name } = this.#options;
    this.#number += 1;
    history.sequences.sent(name, this.#number);
    return tokenOf(name, this.#number);
  }
}

function streamChange(change: Change): StreamChange {
  const { zxid, index, kind, path, stat, data } = change;
  const token = data === null || data === undefined ? "" : new TextDecoder().decode(data);
  const { version, ephemeralOwner: owner, czxid } = stat;
  return { zxid, index, kind, path, version, token, owner, czxid };
}

/** The write did not happen. */
function isRefusal(error: unknown): boolean {
  return error instanceof ZooidError && error.code === CODE_DISK_FULL;
}

function connectOnce({ urls, timeoutMs, name }: NativeLoadOptions): Promise<Client> {
  return connect(urls, {
    ensemble: "soak",
    sessionTimeoutMs: timeoutMs,
    connectTimeoutMs: 10_000,
    name,
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
