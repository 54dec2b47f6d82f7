/**
 * A client with one session and one connection, which it never gives up by itself: it pings as ZooKeeper's clients do, a third of
 * its timeout after it last sent something, and notes when it was answered.
 */
import { JuteReader } from "../../../protocol/jute.ts";
import { OpCode, Xid } from "../../../protocol/zookeeper/codes.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import type { Cluster } from "../cluster.ts";
import type { Link } from "../links.ts";
import type { SimNode } from "../sim-node.ts";
import { readReplyHeader } from "../../../protocol/zookeeper/client-replies.ts";
import { connectFrame, headerFrame, readConnectReply, requestFrame } from "./wire.ts";

const TICK_MS = 5;
const FRAME_BYTES_MAX = 1024 * 1024;
const NO_PASSWORD = new Uint8Array(16);

export class Pinger {
  session: number | undefined;
  closed = false;
  /** When it heard anything from its node. */
  lastAnswerMs = 0;
  /** From a ping to its answer, the longest so far. */
  longestWaitMs = 0;
  readonly #cluster: Cluster;
  readonly #timeoutMs: number;
  readonly #link: Link;
  readonly #frames = new FrameReader();
  readonly #reader = new JuteReader();
  readonly #pingsMs: number[] = [];
  #lastSentMs = 0;
  #xid = 0;

  constructor(cluster: Cluster, of: { readonly node: SimNode; readonly timeoutMs: number }) {
    this.#cluster = cluster;
    this.#timeoutMs = of.timeoutMs;
    const link = cluster.dial({
      node: of.node.id,
      client: { name: `pinger of ${of.node.name}` },
      handler: {
        onBytes: (bytes) => this.#hear(bytes),
        onEnd: () => {
          this.closed = true;
        },
      },
    });
    if (link === undefined) throw new Error(`${of.node.name} does not answer`);
    this.#link = link;
    const { timeoutMs } = of;
    this.#send(connectFrame({ lastZxidSeen: 0, timeoutMs, session: 0, password: NO_PASSWORD }));
    this.#tick();
  }

  /** A read, now. */
  read(): void {
    this.#xid += 1;
    const request = { kind: "read", read: "getData", path: "/", watch: false } as const;
    this.#send(requestFrame(this.#xid, request));
  }

  #hear(bytes: Uint8Array): void {
    const nowMs = this.#cluster.clock.nowMs();
    this.lastAnswerMs = nowMs;
    this.#frames.push(bytes);
    for (;;) {
      const frame = this.#frames.next(FRAME_BYTES_MAX);
      if (frame?.kind !== "frame") break;
      this.#reader.reset(frame.bytes, frame.from, frame.to);
      if (this.session === undefined) {
        this.session = readConnectReply(this.#reader).session;
      } else if (readReplyHeader(this.#reader).xid === Xid.ping) {
        const sentMs = this.#pingsMs.shift() ?? nowMs;
        this.longestWaitMs = Math.max(this.longestWaitMs, nowMs - sentMs);
      }
    }
    this.#frames.settle();
  }

  #tick(): void {
    if (this.closed) return;
    const nowMs = this.#cluster.clock.nowMs();
    const isDue = nowMs + TICK_MS - this.#lastSentMs > this.#timeoutMs / 3;
    if (this.session !== undefined && isDue) {
      this.#pingsMs.push(nowMs);
      this.#send(headerFrame(Xid.ping, OpCode.ping));
    }
    this.#cluster.clock.after(TICK_MS, () => this.#tick());
  }

  #send(bytes: Uint8Array): void {
    this.#lastSentMs = this.#cluster.clock.nowMs();
    this.#link.send(bytes);
  }
}
