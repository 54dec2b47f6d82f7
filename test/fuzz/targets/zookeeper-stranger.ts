/** A client of ZooKeeper's protocol that does what its script says: right, nearly right, and not at all. */
import { JuteReader } from "../../../protocol/jute.ts";
import { frame } from "../../support/jute.ts";
import { requestFrame } from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import {
  check,
  closeSession,
  create,
  create2,
  exists,
  getAcl,
  getChildren,
  getChildren2,
  getData,
  multi,
  type Operation,
  ping,
  remove,
  setAcl,
  setData,
  setWatches,
  setWatches2,
  sync,
  unknown,
} from "../../support/zookeeper-client/operations.ts";
import { splice, withByte } from "../mutate.ts";
import type { OneNode } from "./one-node.ts";
import type { Script } from "./script.ts";

export const PATHS: readonly string[] = [
  "/a",
  "/a/b",
  "/a/b/c",
  "/",
  "/b",
  "/s-",
  "/good",
  "",
  "a",
  "/a/",
  "//",
  "/a/../b",
  "/zookeeper",
  "/zookeeper/quota",
  "/ä",
  "/\u0001",
  "/\ud800",
  "/\ufeff",
  "/nosuch/x",
  "/".repeat(40),
  `/${"n".repeat(300)}`,
  `/${"d/".repeat(60)}e`,
];
const SIZES: readonly number[] = [0, 1, 10, 1000, 70_000, 1_000_000, 1_048_560];
const VERSIONS: readonly number[] = [-1, 0, 1, 2, -2, 2 ** 31 - 1, -(2 ** 31)];
const TIMEOUTS_MS: readonly number[] = [4000, 10_000, 0, -1, 2 ** 31 - 1, 40_000];
const WORDS: readonly string[] = [
  "ruok",
  "stat",
  "mntr",
  "envi",
  "conf",
  "cons",
  "wchs",
  "dump",
  "crst",
  "srst",
  "wchc",
  "wchp",
  "busy",
  "elec",
  "heat",
  "sess",
  "slow",
  "dirs",
  "stmk",
  "stmk\0\0\0\0\0\0\0~",
  "xxxx",
];
/** The most bytes that one client sends in a conversation: large requests are tried, but not for ever. */
const LARGE_BYTES_MAX = 3_000_000;

export class ZooKeeperStranger {
  readonly #node: OneNode;
  readonly #first: number;
  #connection: number;
  #isOpen = false;
  #xid = 0;
  #session = 0n;
  #password: Buffer = Buffer.alloc(16);
  /** The rest of a frame whose beginning has been sent. */
  #rest: Uint8Array = new Uint8Array(0);
  #sentBytes = 0;
  #kinds = new Set<string>();

  constructor(node: OneNode, number: number) {
    this.#node = node;
    this.#first = number;
    this.#connection = number;
  }

  /** What it came to. */
  kind(): string {
    return [...this.#kinds].sort().slice(0, 3).join(",");
  }

  step(script: Script): void {
    if (!this.#isOpen || this.#node.closed.has(this.#connection)) this.#open();
    switch (script.below(10)) {
      case 0:
        return this.#connect(script);
      case 1:
        return this.#say(script.raw());
      case 2:
        return this.#bend(script);
      case 3:
        return this.#part(script);
      case 4:
        return this.#say(Buffer.from(script.pick(WORDS)));
      case 5:
        return this.#hear();
      case 6:
        return script.below(4) === 0 ? this.leave() : undefined;
      case 7:
        return this.#many(script);
      default:
        return this.#say(this.#request(script));
    }
  }

  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#node.take(this.#connection);
    if (this.#node.closed.has(this.#connection)) return;
    this.#node.tell({ kind: "closed", connection: this.#connection });
  }

  #open(): void {
    this.#node.take(this.#connection);
    this.#connection += 10_000;
    this.#isOpen = true;
    this.#rest = new Uint8Array(0);
    const remoteAddress = `10.0.0.${this.#first}:${this.#connection}`;
    this.#node.tell({ kind: "opened", connection: this.#connection, remoteAddress });
  }

  #connect(script: Script): void {
    const choice = script.byte();
    const isOwn = (choice & 1) !== 0;
    const password = (choice & 2) === 0 ? this.#password : Buffer.from(script.raw());
    this.#say(
      connectFrame({
        port: 0,
        timeoutMs: script.pick(TIMEOUTS_MS),
        sessionId: isOwn
          ? this.#session
          : BigInt.asIntN(64, BigInt(choice & 4) << BigInt(choice >> 2)),
        password,
        readOnly: (choice & 8) === 0 ? false : "absent",
        lastZxidSeen: (choice & 16) === 0 ? 0n : 2n ** 62n,
      }),
    );
  }

  /** The right request, wrong somewhere. */
  #bend(script: Script): void {
    const bytes = this.#request(script);
    const at = bytes.length === 0 ? 0 : (script.byte() * 256 + script.byte()) % bytes.length;
    const how = script.below(3);
    if (how === 0) this.#say(withByte(bytes, at, script.byte()));
    // Within the frame, whose length is right.
    else if (how === 1) this.#say(frame(Buffer.from(bytes.subarray(4, Math.max(4, at)))));
    else
      this.#say(frame(Buffer.from(splice(bytes.subarray(4), at, script.below(9), script.raw()))));
  }

  /** What is left of the frame before, or the first part of another. */
  #part(script: Script): void {
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = new Uint8Array(0);
      return this.#say(rest);
    }
    const bytes = this.#request(script);
    const at = Math.min(bytes.length, script.byte());
    this.#rest = bytes.slice(at);
    this.#say(bytes.subarray(0, at));
  }

  #many(script: Script): void {
    const bytes = this.#request(script);
    if (bytes.length > 1000) return this.#say(bytes);
    this.#say(Buffer.concat(Array.from({ length: 1 + script.byte() }, () => bytes)));
  }

  #request(script: Script): Uint8Array {
    this.#xid += 1;
    return requestFrame(this.#xid, this.#operation(script));
  }

  #operation(script: Script): Operation {
    const path = script.pick(PATHS);
    const watch = (script.byte() & 1) !== 0;
    switch (script.below(16)) {
      case 0:
        return create(path, this.#data(script), { mode: script.below(8) - 1 });
      case 1:
        return create2(path, this.#data(script), { mode: script.below(4) });
      case 2:
        return remove(path, script.pick(VERSIONS));
      case 3:
        return exists(path, watch);
      case 4:
        return getData(path, watch);
      case 5:
        return setData(path, this.#data(script), script.pick(VERSIONS));
      case 6:
        return getAcl(path);
      case 7:
        return setAcl(path, acls(script), script.pick(VERSIONS));
      case 8:
        return getChildren(path, watch);
      case 9:
        return getChildren2(path, watch);
      case 10:
        return sync(path);
      case 11:
        return multi(...this.#parts(script));
      case 12:
        return setWatches(BigInt(script.byte()) - 3n, {
          data: [path],
          exist: [path],
          child: [path, path],
        });
      case 13:
        return setWatches2(BigInt(script.byte()), { data: [path, "/a"] });
      case 14:
        return script.below(4) === 0 ? closeSession() : ping();
      default:
        return unknown(script.byte() - 128);
    }
  }

  #parts(script: Script): Operation[] {
    return Array.from({ length: script.below(6) }, () => {
      const path = script.pick(PATHS);
      const version = script.pick(VERSIONS);
      const kind = script.below(5);
      if (kind === 0) return create(path, this.#data(script), { mode: script.below(5) });
      if (kind === 1) return remove(path, version);
      if (kind === 2) return setData(path, this.#data(script), version);
      return kind === 3 ? check(path, version) : getData(path);
    });
  }

  #data(script: Script): Buffer | null {
    const size = script.pick(SIZES);
    if (size > 1000 && this.#sentBytes + size > LARGE_BYTES_MAX) return null;
    this.#sentBytes += size;
    return Buffer.alloc(size, script.byte());
  }

  #say(bytes: Uint8Array): void {
    // What the node does not read stays in the network.
    if (!this.#isOpen || bytes.length === 0 || this.#node.paused.has(this.#connection)) return;
    const connection = this.#connection;
    this.#node.tell({ kind: "bytes", connection, bytes: new Uint8Array(bytes) });
    this.#hearSession();
  }

  #hear(): void {
    const bytes = Buffer.concat(this.#node.take(this.#connection));
    const reader = new JuteReader();
    for (let at = 0; at + 20 <= bytes.length; at += 4 + bytes.readInt32BE(at)) {
      reader.reset(bytes, at + 4);
      reader.int32();
      reader.int64();
      this.#kinds.add(String(reader.int32()));
    }
  }

  /** The answer to a handshake has a session and its password. */
  #hearSession(): void {
    const [first] = this.#node.written.get(this.#connection) ?? [];
    if (first === undefined || first.length < 40 || first.length > 41) return;
    const bytes = Buffer.from(first);
    if (bytes.readInt32BE(4) !== 0 || bytes.readInt32BE(20) !== 16) return;
    this.#session = bytes.readBigInt64BE(12);
    this.#password = bytes.subarray(24, 40);
    this.#kinds.add("session");
    this.#node.take(this.#connection);
  }
}

function acls(script: Script): { perms: number; scheme: string; id: string }[] | null {
  const kind = script.below(6);
  if (kind === 0) return null;
  if (kind === 1) return [];
  const scheme = script.pick(["world", "digest", "ip", "auth", "", "x509"]);
  const id = script.pick(["anyone", "", "user:pass", ":".repeat(2000), "127.0.0.1/33", "\ufeff"]);
  const perms = script.pick([31, 0, -1, 32, 2 ** 31 - 1]);
  return Array.from({ length: kind === 2 ? 600 : 1 }, () => ({ perms, scheme, id }));
}
