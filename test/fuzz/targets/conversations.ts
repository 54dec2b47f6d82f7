/**
 * Whole conversations on both protocols with one node's real actors: hostile clients, whose script the input is, beside a good
 * one, which has to be served whatever they do. When all have gone nothing of them may be left.
 */
import type { Sessions } from "../../../actors/gateway/attachment.ts";
import { Code } from "../../../protocol/codes.ts";
import { JuteReader } from "../../../protocol/jute.ts";
import { requestFrame } from "../../support/gateway-driver.ts";
import { connectFrame } from "../../support/zookeeper-client/client.ts";
import { create, getData, ping } from "../../support/zookeeper-client/operations.ts";
import { hex, must, type Target } from "../target.ts";
import { NativeStranger } from "./native-stranger.ts";
import { OneNode } from "./one-node.ts";
import { Script } from "./script.ts";
import { ZooKeeperStranger } from "./zookeeper-stranger.ts";

const GOOD = 100;
const GOOD_TIMEOUT_MS = 40_000;
const STRANGERS = 3;
const STEPS_MAX = 200;
const ADVANCES_MS: readonly number[] = [0, 1, 20, 300, 1500, 5000];
/** Until sessions of the longest timeout have expired. */
const FORGET_MS = 45_000;

/** A client that keeps to the rules. */
class GoodClient {
  readonly #node: OneNode;
  #xid = 0;

  constructor(node: OneNode) {
    this.#node = node;
    node.tell({ kind: "opened", connection: GOOD, remoteAddress: "10.0.0.100:1" });
    this.#say(connectFrame({ port: 0, timeoutMs: GOOD_TIMEOUT_MS }));
    must(node.take(GOOD).length === 1, "a good client gets its session");
    must(this.#ask(create("/good", "x")) === 0, "a good client's write is done");
  }

  ping(): void {
    this.#say(requestFrame(-2, ping()));
    this.#node.take(GOOD);
  }

  /** It stays connected and its reads are answered. Its node may be gone: anybody may delete what everybody may write. */
  check(): void {
    must(!this.#node.closed.has(GOOD), "a good client's connection stays");
    const code = this.#ask(getData("/good"));
    must(code === 0 || code === Code.noNode, `a good client's read is answered, not with ${code}`);
  }

  leave(): void {
    this.#node.tell({ kind: "closed", connection: GOOD });
  }

  /** The code of the answer. */
  #ask(operation: Parameters<typeof requestFrame>[1]): number | undefined {
    this.#xid += 1;
    this.#say(requestFrame(this.#xid, operation));
    const bytes = Buffer.concat(this.#node.take(GOOD));
    const reader = new JuteReader().reset(bytes);
    reader.int32();
    const xid = reader.int32();
    reader.int64();
    return xid === this.#xid ? reader.int32() : undefined;
  }

  #say(bytes: Uint8Array): void {
    this.#node.tell({ kind: "bytes", connection: GOOD, bytes: new Uint8Array(bytes) });
  }
}

function conversation(input: Uint8Array): string {
  const node = new OneNode();
  const good = new GoodClient(node);
  const script = new Script(input);
  const strangers = Array.from(
    { length: STRANGERS },
    (_, index) => new ZooKeeperStranger(node, index + 1),
  );
  const natives = Array.from(
    { length: STRANGERS },
    (_, index) => new NativeStranger(node, index + 1),
  );
  let disturbed = false;
  for (let step = 0; !script.done && step < STEPS_MAX; step += 1) {
    const choice = script.byte();
    if (choice < 100) script.pick(strangers).step(script);
    else if (choice < 200) script.pick(natives).step(script);
    else if (choice < 240) {
      good.ping();
      node.advance(script.pick(ADVANCES_MS));
    } else {
      disturbed = true;
      lead(node, script);
    }
  }
  node.lead("leading", "all");
  node.advance(600);
  // Without a leader a connection may be closed, for good reason.
  if (!disturbed) good.check();
  const kinds = [...strangers, ...natives].map((each) => each.kind()).join(" ");
  leave(node, good, strangers);
  if (input.length % 4 === 0) forget(node);
  return kinds;
}

function lead(node: OneNode, script: Script): void {
  const role = script.pick(["leading", "looking", "following"] as const);
  node.lead(role, script.pick(["all", "sessionsOnly", "none"] as const));
}

/** All sockets are closed. */
function leave(node: OneNode, good: GoodClient, strangers: readonly ZooKeeperStranger[]): void {
  for (const each of strangers) each.leave();
  good.leave();
  const { connections, sessions, throttled, handshakes } = node.zookeeper;
  must(connections.size === 0, "no connection is left");
  must(isEmpty(sessions), "no session of one is left");
  must(throttled.size === 0 && handshakes.size === 0, "nobody waits");
  must(node.zookeeper.heldBytes === 0, "no bytes are held for nobody");
  must(node.tree.watches.count === 0, "no watch is left");
}

function isEmpty({ holders, attaching, impossible, withheld }: Sessions<unknown>): boolean {
  return [holders, attaching, impossible, withheld].every(({ size }) => size === 0);
}

/** Silent clients are forgotten, their sessions expire, their ephemeral znodes go. */
function forget(node: OneNode): void {
  node.advance(FORGET_MS);
  const { nats, tree } = node;
  must(nats.connections.size === 0 && nats.byInbox.size === 0, "no native connection is left");
  must(isEmpty(nats.sessions), "no session of one is left");
  must(nats.requestBytes === 0, "no bytes of requests are held for nobody");
  // The node leads, and its feed has one.
  must(tree.streams.byClient.size === 1, "no change stream of a client is left");
  must(tree.sessions.size === 0, "no session is left");
}

/** A handshake, requests, a native open and frames, time: one of each, as scripts. */
const SEEDS: readonly string[] = [
  "00 00 00 00",
  "00 00 00 00 00 00 01 00 00 02 01 02 00 00 01 04 02 01 00 d0 03",
  "64 00 00 00 64 00 01 00 02 00 01 01 02 d0 04",
  "00 01 00 00 00 01 02 08 ffffffff00000001 64 01 00 00 64 01 02 04 81018102",
  "f0 01 00 00 00 00 f0 00 00",
];

export const CONVERSATIONS: readonly Target[] = [
  {
    name: "conversations",
    bytesMax: 8 * 1024,
    tokens: ["000000", "640000", "640001", "000001", "000002", "d005", "f00100", "f00000"].map(hex),
    cpuMsMin: 150,
    turns: 4,
    seeds: () => SEEDS.map(hex),
    run: conversation,
  },
];
