/** One client over ZooKeeper's protocol: writes, reads and watches without end, everything it sees handed to the checkers. */
import type { Reply, ZkClient } from "../support/zk-client.ts";
import {
  closeSession,
  create,
  exists,
  type Operation,
  remove,
  setWatches,
  sync,
} from "../support/zk-operations.ts";
import type { Folders } from "./folders.ts";
import { type History, LIVE, REGISTERS, ROOT } from "./history.ts";
import type { Random } from "./random.ts";
import {
  createAndSet,
  createIfMissing,
  createSequential,
  readData,
  writeData,
} from "./requests.ts";
import { tokenOf } from "./sequences.ts";
import { SessionView } from "./sessions.ts";
import { ZkSession, type ZkSessionOptions } from "./zk-session.ts";

export type ZkLoadOptions = ZkSessionOptions & {
  readonly name: string;
  readonly history: History;
  readonly random: Random;
  /** Shared with other clients, so that names of the same folder are asked for on several nodes. */
  readonly folders: Folders;
  /** Between two rounds of requests. */
  readonly thinkMs: number;
};

const RETRY_MS = 50;
const IDLE_MS = 50;
const ROUND_REQUESTS_MAX = 8;
const EPHEMERALS_MAX = 5;
const CODE_NO_NODE = -101;
const CODE_NODE_EXISTS = -110;
/** The session is over, or goes on elsewhere: the connection ends too. */
const CODES_OF_SESSIONS: readonly number[] = [-112, -118];
/** No room on the disks: for certain it is not done. */
const CODE_NOT_READ_ONLY = -119;
const MISSING = `${ROOT}/missing`;

type Phase = "load" | "idle" | "closed";

export class ZkLoad {
  readonly #options: ZkLoadOptions;
  readonly #session: ZkSession;
  #view: SessionView;
  #phase: Phase = "load";
  #number = 0;
  #ephemerals: string[] = [];
  /** Nodes of sessions that are over; the next session makes sure that they are gone. */
  #gone: readonly string[] = [];
  /** This connection ends because its client wants that. */
  #leaving = false;
  #done: Promise<void> = Promise.resolve();

  constructor(options: ZkLoadOptions) {
    this.#options = options;
    this.#session = new ZkSession(options);
    this.#view = this.#newView();
  }

  start(): void {
    this.#done = this.#run();
  }

  /** No more requests; the session goes on. */
  idle(): void {
    this.#phase = "idle";
  }

  async close(): Promise<void> {
    this.#phase = "closed";
    await this.#done;
  }

  async #run(): Promise<void> {
    const { history } = this.#options;
    while (this.#phase !== "closed") {
      const connected = await this.#session.connect();
      switch (connected.kind) {
        case "failed":
          await delay(RETRY_MS);
          break;
        case "expired":
          this.#expired(connected.session, connected.silentMs);
          break;
        case "opened":
          history.counts.sessions += 1;
          history.ephemerals.opened(this.#session.id);
          this.#view = this.#newView();
          await this.#serve(connected.client);
          break;
        case "attached":
          this.#setWatchesAgain(connected.client);
          await this.#serve(connected.client);
          break;
        default:
          connected satisfies never;
      }
    }
  }

  async #serve(client: ZkClient): Promise<void> {
    let open = true;
    this.#leaving = false;
    const { node } = this.#session;
    void client.closed.then(() => {
      open = false;
      if (!this.#leaving) this.#lost(node);
    });
    await this.#checkGone(client);
    while (open && this.#phase !== "closed") {
      if (this.#phase === "load") await this.#round(client);
      await delay(this.#phase === "load" ? this.#options.thinkMs : IDLE_MS);
    }
    if (open) await this.#end(client);
    this.#takeEvents(client);
    if (!this.#leaving) {
      this.#session.moveTo((node + 1) % this.#options.nodes);
    }
  }

  #lost(node: number): void {
    const { history, name } = this.#options;
    if (this.#session.mayBeTakenOver) history.counts.losses += 1;
    else history.lost(name, node, "closed");
  }

  /** Requests at once, then, rarely, something that ends the connection or the session. */
  async #round(client: ZkClient): Promise<void> {
    const { random } = this.#options;
    const count = random.integer(1, ROUND_REQUESTS_MAX);
    client.socket.cork();
    const replies = Array.from({ length: count }, () => this.#request(client));
    client.socket.uncork();
    const fate = random.next();
    if (fate < 0.002) {
      this.#options.history.counts.moves += 1;
      // At any moment: the requests may be anywhere on their way.
      if (random.chance(0.5)) await delay(random.integer(0, 5));
      this.#session.moveTo(random.integer(0, this.#options.nodes - 1));
      await this.#cut(client);
    }
    await Promise.allSettled(replies);
    if (fate > 0.9992) await this.#end(client);
    else if (fate > 0.9988) await this.#abandon(client);
  }

  async #cut(client: ZkClient): Promise<void> {
    this.#leaving = true;
    await client.cut();
  }

  async #abandon(client: ZkClient): Promise<void> {
    this.#options.history.ephemerals.abandoned(this.#session.id);
    this.#ephemerals = [];
    this.#session.forget();
    await this.#cut(client);
  }

  /** Closes the session. If the answer is lost it may live on until it expires. */
  async #end(client: ZkClient): Promise<void> {
    const { ephemerals } = this.#options.history;
    const session = this.#session.id;
    this.#leaving = true;
    const answer = await client.request(closeSession()).catch(() => undefined);
    if (answer?.code === 0) this.#gone = ephemerals.over(session);
    else ephemerals.abandoned(session);
    this.#ephemerals = [];
    this.#session.forget();
    await client.cut();
  }

  #expired(session: bigint, silentMs: number): void {
    const { history, name } = this.#options;
    history.counts.expired += 1;
    this.#gone = history.ephemerals.over(session);
    this.#ephemerals = [];
    const safeMs = (this.#session.timeoutMs * 2) / 3;
    if (silentMs >= safeMs) return;
    const shown = `session ${session.toString(16)} expired ${Math.round(silentMs)} ms after the last answer`;
    history.violations.add("expired-early", `${name}: ${shown}, safe are ${Math.round(safeMs)} ms`);
  }

  async #checkGone(client: ZkClient): Promise<void> {
    if (this.#gone.length === 0) return;
    const paths = this.#gone;
    const operations = [sync(ROOT), ...paths.map((path) => exists(path))];
    const replies = await client.pipeline(operations).catch(() => undefined);
    if (replies === undefined) return;
    this.#gone = [];
    replies.slice(1).forEach(({ code }, index) => {
      if (code === 0) this.#options.history.ephemerals.seenAfterEnd(paths[index] ?? "");
    });
  }

  #setWatchesAgain(client: ZkClient): void {
    const data = this.#view.watched;
    if (data.length === 0) return;
    client.request(setWatches(this.#session.lastZxid, { data })).catch(() => undefined);
  }

  #request(client: ZkClient): Promise<unknown> {
    const { random, folders } = this.#options;
    const next = folders.next();
    if (next !== undefined) return this.#createFolder(client, next);
    const register = random.pick(REGISTERS);
    const draw = random.next();
    if (draw < 0.4) return this.#create(client);
    if (draw < 0.55) return this.#set(client, register);
    if (draw < 0.75) return this.#read(client, register);
    if (draw < 0.83) return this.#syncAndRead(client, register);
    if (draw < 0.9) return this.#createAndSet(client, register);
    if (draw < 0.92) return this.#refusedMulti(client);
    return this.#ephemeral(client);
  }

  async #createFolder(client: ZkClient, path: string): Promise<void> {
    const reply = await client.request(create(path)).catch(() => undefined);
    this.#options.folders.prepared(reply?.code === 0 || reply?.code === CODE_NODE_EXISTS);
  }

  async #create(client: ZkClient): Promise<void> {
    const { history, folders } = this.#options;
    const token = this.#token();
    let path = "";
    const operation = createSequential(`${folders.take()}/n-`, token, (made) => {
      path = made;
    });
    const reply = await this.#ask(client, operation);
    if (reply === undefined) return;
    history.wrote();
    history.sequences.acknowledged(token, path, reply.zxid);
  }

  async #set(client: ZkClient, path: string): Promise<void> {
    const { history } = this.#options;
    const token = this.#token();
    history.registers.sent(token);
    const floor = history.registers.floor(path);
    const operation = writeData(path, token, ({ version, mzxid }) => {
      history.registers.set({ path, version, token, mzxid }, floor);
      this.#saw(client, path, version);
    });
    if ((await this.#ask(client, operation)) !== undefined) history.wrote();
  }

  async #read(client: ZkClient, path: string, floor?: number): Promise<void> {
    const { history, random } = this.#options;
    const watch = random.chance(0.2);
    const operation = readData(path, watch, ({ data, stat: { version, mzxid } }) => {
      this.#saw(client, path, version);
      history.registers.read({ path, version, token: data, mzxid }, floor);
      if (watch) this.#view.watch(path, version);
    });
    if ((await this.#ask(client, operation)) !== undefined) history.counts.reads += 1;
  }

  async #syncAndRead(client: ZkClient, path: string): Promise<void> {
    const floor = this.#options.history.registers.floor(path);
    const synced = this.#ask(client, sync(ROOT));
    await Promise.all([synced, this.#read(client, path, floor)]);
  }

  async #createAndSet(client: ZkClient, register: string): Promise<void> {
    const { history, folders } = this.#options;
    const token = this.#token();
    history.registers.sent(token);
    history.multiSent(token);
    const floor = history.registers.floor(register);
    let made: string | undefined;
    const paths = { prefix: `${folders.take()}/n-`, register };
    const operation = createAndSet(paths, token, (body) => {
      if (body === undefined) return;
      const { version, mzxid } = body.stat;
      made = body.path;
      history.registers.set({ path: register, version, token, mzxid }, floor);
      this.#saw(client, register, version);
    });
    const reply = await this.#ask(client, operation);
    if (reply === undefined) return;
    if (made === undefined) {
      history.violations.add("unexpected-answer", `${operation.label} was refused`);
      return;
    }
    history.wrote();
    history.sequences.acknowledged(token, made, reply.zxid);
  }

  async #refusedMulti(client: ZkClient): Promise<void> {
    const { history, folders } = this.#options;
    const token = this.#token();
    history.sequences.mustFail(token);
    const paths = { prefix: `${folders.take()}/n-`, missing: MISSING };
    await this.#ask(client, createIfMissing(paths, token), [CODE_NO_NODE]);
  }

  async #ephemeral(client: ZkClient): Promise<void> {
    const { history, random } = this.#options;
    const session = this.#session.id;
    if (this.#ephemerals.length >= EPHEMERALS_MAX) {
      const [path = ""] = this.#ephemerals.splice(random.integer(0, EPHEMERALS_MAX - 1), 1);
      history.ephemerals.deleting(path);
      if ((await this.#ask(client, remove(path))) === undefined) return;
      history.wrote();
      history.ephemerals.deleted(path);
      return;
    }
    const operation = createSequential(
      `${LIVE}/e-`,
      this.#options.name,
      (path) => {
        history.ephemerals.created(path, session);
        this.#ephemerals.push(path);
      },
      { ephemeral: true },
    );
    if ((await this.#ask(client, operation)) !== undefined) history.wrote();
  }

  /** Undefined: whether it was done is unknown, or it was refused as expected. */
  async #ask(
    client: ZkClient,
    operation: Operation,
    expected: readonly number[] = [],
  ): Promise<Reply | undefined> {
    const view = this.#view;
    const reply = await client.request(operation).catch(() => undefined);
    if (reply === undefined) return undefined;
    if (reply.code === 0) {
      view.replied(reply.zxid, operation.label);
      return reply;
    }
    const known =
      reply.code === CODE_NOT_READ_ONLY ||
      CODES_OF_SESSIONS.includes(reply.code) ||
      expected.includes(reply.code);
    if (!known) {
      const shown = `${this.#options.name}: ${operation.label} was answered with ${reply.code}`;
      this.#options.history.violations.add("unexpected-answer", shown);
    }
    return undefined;
  }

  /** Events that came before a reply count before it. */
  #saw(client: ZkClient, path: string, version: number): void {
    this.#takeEvents(client);
    this.#view.saw(path, version);
  }

  #takeEvents(client: ZkClient): void {
    for (const received of client.received) {
      if (received.kind !== "event") continue;
      this.#options.history.counts.events += 1;
      this.#view.fired(received.path);
    }
    client.received.length = 0;
  }

  #token(): string {
    const { history, name } = this.#options;
    this.#number += 1;
    history.sequences.sent(name, this.#number);
    return tokenOf(name, this.#number);
  }

  #newView(): SessionView {
    const { history, name } = this.#options;
    return new SessionView(history.violations, `${name} session ${this.#session.id.toString(16)}`);
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
