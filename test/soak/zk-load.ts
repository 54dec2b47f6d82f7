/**
 * One client over ZooKeeper's protocol. It writes, reads and watches until it is stopped, and passes everything it sees to the
 * checkers.
 */
import { Code } from "../../protocol/codes.ts";
import { WatchEventType } from "../../protocol/reads.ts";
import type { WatchEvent, ZkClient } from "../support/zookeeper-client/client.ts";
import {
  closeSession,
  create,
  exists,
  type Operation,
  remove,
  setWatches,
  sync,
} from "../support/zookeeper-client/operations.ts";
import type { ReplyBody } from "../sim/client/wire.ts";
import type { Folders } from "./folders.ts";
import { type History, LIVE, REGISTERS, ROOT } from "./history.ts";
import type { Random } from "./random.ts";
import {
  type CreateAndSet,
  createAndSet,
  createIfMissing,
  createSequential,
  readChildrenAndStat,
  readData,
  writeData,
} from "./requests.ts";
import { tokenOf } from "./sequences.ts";
import { SessionView } from "./sessions.ts";
import { narrowStat, narrowZxid, type Truth, type Witness } from "./truth.ts";
import { ZkSession, type ZkSessionOptions } from "./zk-session.ts";

export type ZkLoadOptions = ZkSessionOptions & {
  readonly name: string;
  readonly history: History;
  readonly truth: Truth;
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
/** ZooKeeper's NotReadOnly: the disks are full, and the write did not happen. */
const CODE_NOT_READ_ONLY = -119;
/** What any request may be answered with. All say that it did not happen: where sessions end, the connection ends too. */
const CODES_OF_REFUSAL: readonly number[] = [
  CODE_NOT_READ_ONLY,
  Code.sessionExpired,
  Code.sessionMoved,
];
const MISSING = `${ROOT}/missing`;

type Phase = "load" | "idle" | "closed";

/** Its header; the body has been read before. */
type Answer = { readonly zxid: bigint; readonly code: number };

type Asked = {
  readonly operation: Operation;
  /** The token of a write; undefined for a read. */
  readonly token?: string;
  /** It has to be answered with this code. */
  readonly expected?: number;
  /** Told of an answer without an error as it arrives, before anything that comes after it. */
  readonly told?: (answer: Answer) => void;
};

export class ZkLoad {
  readonly #options: ZkLoadOptions;
  readonly #session: ZkSession;
  readonly #witness: Witness;
  #view: SessionView;
  #childrenWatched = false;
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
    this.#witness = options.truth.witness(options.name);
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
    await this.#session.cutSilent();
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
          this.#expired(connected.session, connected.heardMs);
          break;
        case "opened":
          history.counts.sessions += 1;
          history.ephemerals.opened(this.#session.id);
          this.#view = this.#newView();
          this.#childrenWatched = false;
          this.#witness.forget();
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
      if (!this.#leaving && !this.#session.isSilent(client)) this.#lost(node);
    });
    await this.#checkGone(client);
    while (open && this.#phase !== "closed") {
      if (this.#phase === "load" && (await this.#round(client)) === "left") {
        this.#witness.disconnected();
        return;
      }
      await delay(this.#phase === "load" ? this.#options.thinkMs : IDLE_MS);
    }
    if (open) await this.#end(client);
    this.#takeEvents(client);
    this.#witness.disconnected();
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
  async #round(client: ZkClient): Promise<"goes on" | "left"> {
    const { random } = this.#options;
    const count = random.integer(1, ROUND_REQUESTS_MAX);
    client.socket.cork();
    const replies = Array.from({ length: count }, () => this.#request(client));
    client.socket.uncork();
    const fate = random.next();
    if (fate < 0.006) {
      this.#options.history.counts.moves += 1;
      // At any moment: the requests may be anywhere on their way.
      if (random.chance(0.5)) await delay(random.integer(0, 5));
      this.#session.moveTo(random.integer(0, this.#options.nodes - 1));
      await this.#cut(client);
    }
    await Promise.allSettled(replies);
    if (fate > 0.999) await this.#end(client);
    else if (fate > 0.9984) await this.#abandon(client);
    else if (fate > 0.9974) return this.#fallSilent(client);
    return "goes on";
  }

  async #cut(client: ZkClient): Promise<void> {
    this.#leaving = true;
    await client.cut();
  }

  async #abandon(client: ZkClient): Promise<void> {
    this.#giveUpSession();
    this.#session.forget();
    await this.#cut(client);
  }

  /** As a client that hangs: its connection is there, and nothing comes. */
  #fallSilent(client: ZkClient): "left" {
    this.#takeEvents(client);
    this.#leaving = true;
    this.#giveUpSession();
    this.#session.silence(client);
    return "left";
  }

  /** It is to expire by itself. */
  #giveUpSession(): void {
    const { id, heardMs: sinceMs, timeoutMs } = this.#session;
    this.#options.history.counts.silenced += 1;
    this.#options.history.ephemerals.abandoned(id, { sinceMs, timeoutMs });
    this.#ephemerals = [];
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

  #expired(session: bigint, sinceMs: number): void {
    const { history, name } = this.#options;
    history.counts.expired += 1;
    this.#gone = history.ephemerals.over(session);
    this.#ephemerals = [];
    const silence = { sinceMs, timeoutMs: this.#session.timeoutMs };
    history.ephemerals.expired(name, session, silence, performance.now());
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
    const child = this.#childrenWatched ? [LIVE] : [];
    if (data.length + child.length === 0) return;
    const after = this.#session.lastZxid;
    this.#witness.reset(narrowZxid(after));
    const replied = (answer: Answer): void => {
      this.#takeEvents(client);
      this.#witness.resetDone(narrowZxid(answer.zxid));
    };
    client.request({ ...setWatches(after, { data, child }), replied }).catch(() => undefined);
  }

  #request(client: ZkClient): Promise<unknown> {
    const { random, folders } = this.#options;
    const next = folders.next();
    if (next !== undefined) return this.#createFolder(client, next);
    const register = random.pick(REGISTERS);
    const draw = random.next();
    if (draw < 0.4) return this.#create(client);
    if (draw < 0.55) return this.#set(client, register);
    if (draw < 0.75) return this.#read(client, register, () => undefined);
    if (draw < 0.83) return this.#syncAndRead(client, register);
    if (draw < 0.9) return this.#createAndSet(client, register);
    if (draw < 0.92) return this.#refusedMulti(client);
    if (draw < 0.94) return this.#readLive(client);
    return this.#ephemeral(client);
  }

  async #createFolder(client: ZkClient, path: string): Promise<void> {
    const reply = await client.request(create(path)).catch(() => undefined);
    this.#options.folders.prepared(reply?.code === Code.ok || reply?.code === Code.nodeExists);
  }

  #create(client: ZkClient): Promise<void> {
    const token = this.#token();
    let path = "";
    const operation = createSequential(`${this.#options.folders.take()}/n-`, token, (made) => {
      path = made;
    });
    const told = ({ zxid }: Answer): void => this.#created(path, token, zxid);
    return this.#ask(client, { operation, token, told });
  }

  #created(path: string, token: string, zxid: bigint): void {
    this.#options.history.sequences.acknowledged(token, path, zxid);
    this.#witness.wrote({ path, zxid: narrowZxid(zxid), data: token });
  }

  #set(client: ZkClient, path: string): Promise<void> {
    const { registers } = this.#options.history;
    const token = this.#token();
    registers.sent(token);
    const floor = registers.floor(path);
    const operation = writeData(path, token, (stat) => {
      const { version, mzxid } = stat;
      this.#saw(client, path, version);
      registers.set({ path, version, token, mzxid }, floor);
      const zxid = narrowZxid(mzxid);
      this.#witness.wrote({ path, zxid, data: token, stat: narrowStat(stat) });
    });
    return this.#ask(client, { operation, token });
  }

  /** `floor`: asked for when the answer is there. */
  #read(client: ZkClient, path: string, floor: () => number | undefined): Promise<void> {
    const { registers } = this.#options.history;
    const watch = this.#options.random.chance(0.2);
    let body: ReplyBody = { kind: "nothing" };
    const operation = readData(path, watch, ({ data, stat }) => {
      const { version, mzxid } = stat;
      this.#saw(client, path, version);
      registers.read({ path, version, token: data, mzxid }, floor());
      if (watch) this.#view.watch(path, version);
      body = { kind: "data", data: Buffer.from(data), stat: narrowStat(stat) };
    });
    const told = ({ zxid: wide, code }: Answer): void => {
      const zxid = narrowZxid(wide);
      this.#witness.read({ read: "getData", path, zxid, code, body });
      if (watch) this.#witness.watch("data", path, zxid);
    };
    return this.#ask(client, { operation, told });
  }

  /** Whose ephemeral nodes are there. */
  #readLive(client: ZkClient): Promise<void> {
    const watch = !this.#childrenWatched;
    let body: ReplyBody = { kind: "nothing" };
    const operation = readChildrenAndStat(LIVE, watch, ({ names, stat }) => {
      body = { kind: "children", children: names, stat: narrowStat(stat) };
    });
    const told = ({ zxid: wide, code }: Answer): void => {
      const zxid = narrowZxid(wide);
      this.#witness.read({ read: "getChildren", path: LIVE, zxid, code, body });
      if (!watch) return;
      this.#childrenWatched = true;
      this.#witness.watch("child", LIVE, zxid);
    };
    return this.#ask(client, { operation, told });
  }

  async #syncAndRead(client: ZkClient, path: string): Promise<void> {
    const floor = this.#options.history.registers.floor(path);
    let isSynced = false;
    const told = (): void => {
      isSynced = true;
    };
    const synced = this.#ask(client, { operation: sync(ROOT), told });
    // Where a full disk refuses the sync, the read after it promises nothing.
    await Promise.all([synced, this.#read(client, path, () => (isSynced ? floor : undefined))]);
  }

  #createAndSet(client: ZkClient, register: string): Promise<void> {
    const { history, folders } = this.#options;
    const token = this.#token();
    history.registers.sent(token);
    history.multiSent(token);
    const floor = history.registers.floor(register);
    let made: CreateAndSet | undefined;
    const paths = { prefix: `${folders.take()}/n-`, register };
    const operation = createAndSet(paths, token, (body) => {
      made = body;
    });
    const told = ({ zxid }: Answer): void => {
      if (made === undefined) {
        history.violations.add("unexpected-answer", `${operation.label} was refused`);
        return;
      }
      const { version, mzxid } = made.stat;
      this.#saw(client, register, version);
      history.registers.set({ path: register, version, token, mzxid }, floor);
      const stat = narrowStat(made.stat);
      this.#witness.wrote({ path: register, zxid: narrowZxid(zxid), data: token, stat });
      this.#created(made.path, token, zxid);
    };
    return this.#ask(client, { operation, token, told });
  }

  #refusedMulti(client: ZkClient): Promise<void> {
    const { history, folders } = this.#options;
    const token = this.#token();
    history.sequences.mustFail(token);
    const paths = { prefix: `${folders.take()}/n-`, missing: MISSING };
    const operation = createIfMissing(paths, token);
    return this.#ask(client, { operation, token, expected: Code.noNode });
  }

  #ephemeral(client: ZkClient): Promise<void> {
    const { history, random } = this.#options;
    const session = this.#session.id;
    const token = this.#token();
    if (this.#ephemerals.length >= EPHEMERALS_MAX) {
      const [path = ""] = this.#ephemerals.splice(random.integer(0, EPHEMERALS_MAX - 1), 1);
      history.ephemerals.deleting(path);
      const told = ({ zxid }: Answer): void => {
        history.ephemerals.deleted(path);
        this.#witness.wrote({ path, zxid: narrowZxid(zxid), data: undefined });
      };
      return this.#ask(client, { operation: remove(path), token, told });
    }
    let path = "";
    const options = { ephemeral: true };
    const take = (made: string): void => {
      path = made;
    };
    const operation = createSequential(`${LIVE}/e-`, token, take, options);
    const told = ({ zxid }: Answer): void => {
      history.ephemerals.created(path, session);
      this.#ephemerals.push(path);
      this.#witness.wrote({ path, zxid: narrowZxid(zxid), data: token });
    };
    return this.#ask(client, { operation, token, told });
  }

  /** Resolves when there is an answer, or there will be none. */
  async #ask(client: ZkClient, asked: Asked): Promise<void> {
    const view = this.#view;
    const { counts } = this.#options.history;
    const replied = (answer: Answer): void => this.#answered(client, view, asked, answer);
    const reply = await client.request({ ...asked.operation, replied }).catch(() => undefined);
    if (asked.token === undefined) {
      if (reply?.code === Code.ok) counts.reads += 1;
    } else if (reply === undefined) {
      this.#options.history.unknown();
    }
  }

  #answered(client: ZkClient, view: SessionView, asked: Asked, answer: Answer): void {
    const { history, name } = this.#options;
    const { operation, token, expected, told } = asked;
    const { code, zxid } = answer;
    this.#takeEvents(client);
    if (code === Code.ok) {
      view.replied(zxid, operation.label);
      this.#witness.replied(narrowZxid(zxid));
      told?.(answer);
      if (token !== undefined && expected === undefined) history.wrote();
    } else if (CODES_OF_REFUSAL.includes(code)) {
      if (token !== undefined) history.refused(token);
    } else if (code !== expected) {
      const shown = `${name}: ${operation.label} was answered with ${code}`;
      history.violations.add("unexpected-answer", shown);
    }
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
      this.#fired(received);
    }
    client.received.length = 0;
  }

  #fired({ type, path, zxid }: WatchEvent): void {
    this.#witness.event({ type: type as WatchEventType, path }, narrowZxid(zxid));
    if (type === WatchEventType.nodeChildrenChanged) this.#childrenWatched = false;
    else this.#view.fired(path);
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
