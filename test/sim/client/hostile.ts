/**
 * A client that means harm, or is broken: frames that are nearly right, on the protocol of ZooKeeper's clients and on the native
 * one. They are refused, or answered with an error; whoever else the gateway serves notices nothing. What it writes is not
 * looked at, so it asks for nothing that would change a znode.
 */
import { NO_WATCHES } from "../../../protocol/reads.ts";
import { encodeCbor } from "../../../protocol/cbor.ts";
import { PASSWORD_BYTES } from "../../../protocol/ids.ts";
import { encodeClientFrame, NATIVE_VERSION } from "../../../protocol/native.ts";
import { gatewaySubject } from "../../../protocol/subjects.ts";
import { OpCode } from "../../../protocol/zookeeper/codes.ts";
import type { Cluster } from "../cluster.ts";
import type { Random } from "../random.ts";
import type { SimNode } from "../sim-node.ts";
import { ENSEMBLE } from "../subjects.ts";
import { connectFrame, headerFrame, requestFrame, setWatchesFrame } from "./wire.ts";

const FRAMES_MAX = 30;
const NOBODY = { name: "hostile client" };
const SESSION_TIMEOUT_MS = 1000;

export function attack(cluster: Cluster, node: SimNode, random: Random): void {
  const link = cluster.dial({
    node: node.id,
    client: NOBODY,
    handler: { onBytes: () => {}, onEnd: () => {} },
  });
  if (link === undefined) return;
  link.send(random.chance(0.8) ? handshake() : broken(handshake(), random));
  const count = random.whole(1, FRAMES_MAX);
  for (let index = 0; index < count; index += 1) {
    cluster.clock.after(random.wait(20) * index, () => link.send(nextFrame(random)));
  }
  cluster.clock.after(2000, () => link.leave(random.chance(0.3)));
  for (let lane = 1; lane <= cluster.plan.lanes; lane += 1) {
    // No client has this inbox, so nobody receives the answers.
    const reply = `zooid.${ENSEMBLE}.client.hostile.${random.below(3)}`;
    for (let index = 0; index < count; index += 1) {
      const bytes = nativeFrame(random);
      const subject = gatewaySubject(ENSEMBLE);
      node.hear(`nats/${lane}`, { kind: "clientMessage", subject, reply, bytes });
    }
  }
}

function handshake(): Uint8Array {
  const password = new Uint8Array(PASSWORD_BYTES);
  return connectFrame({ lastZxidSeen: 0, timeoutMs: SESSION_TIMEOUT_MS, session: 0, password });
}

/** A request that only reads, as it should be or changed in one place; its length still fits, mostly. */
function nextFrame(random: Random): Uint8Array {
  const path = random.pick(["/", "/k/0", "", "/k/", "k", "/\u0000", "/zookeeper/config", "/a//b"]);
  const read = random.pick(["exists", "getData", "getChildren"] as const);
  const mode = random.pick(["persistent", "persistentRecursive"] as const);
  const frame = random.pick([
    () => requestFrame(random.whole(-10, 10), { kind: "read", read, path, watch: true }),
    () => headerFrame(random.whole(-10, 10), random.pick([OpCode.ping, 0, 99, -7, 2 ** 31 - 1])),
    () => setWatchesFrame(random.whole(-1, 5), { ...NO_WATCHES, data: [path], exist: [path] }),
    () => setWatchesFrame(random.whole(-1, 5), { ...NO_WATCHES, persistentRecursive: [path] }),
    () => requestFrame(1, { kind: "watcher", asked: { kind: "addWatch", path, mode } }),
  ])();
  return random.chance(0.3) ? frame : broken(frame, random);
}

/** One field is out of range, the frame is cut short or goes on, or its length is a lie. */
function broken(frame: Uint8Array, random: Random): Uint8Array {
  const copy = Buffer.from(frame);
  const at = 4 + random.below(Math.max(1, copy.length - 8));
  switch (random.below(4)) {
    case 0:
      // Not over the operation's code: it must not become a write.
      if (at >= 12 && at + 4 <= copy.length) {
        copy.writeInt32BE(random.pick([-1, -2, 2 ** 31 - 1, -(2 ** 31), 65_536]), at);
      }
      return copy;
    case 1: {
      const cut = copy.subarray(0, at);
      if (cut.length >= 4) cut.writeInt32BE(cut.length - 4, 0);
      return cut;
    }
    case 2:
      copy.writeInt32BE(random.pick([-1, 0, 3, 2 ** 31 - 1, 64 * 1024 * 1024]), 0);
      return copy;
    default: {
      const longer = Buffer.concat([copy, random.randomBytes(random.below(40))]);
      longer.writeInt32BE(longer.length - 4, 0);
      return longer;
    }
  }
}

function nativeFrame(random: Random): Uint8Array {
  const odd = random.pick<unknown>([null, -1, 1.5, Number.NaN, "x", [], {}, 2 ** 53]);
  const password = new Uint8Array(random.pick([PASSWORD_BYTES, 0, 100]));
  const session = random.pick([0, 1, 2 ** 32 + 1]);
  const version = random.chance(0.8) ? NATIVE_VERSION : 99;
  const opened = { kind: "open", version, session, password, timeoutMs: SESSION_TIMEOUT_MS };
  const items = [opened, { kind: "ping" }, { kind: "closeStream", stream: 1 }] as const;
  const whole = encodeClientFrame({
    sequence: random.below(3),
    items: [random.pick(items) as never],
  });
  switch (random.below(4)) {
    case 0:
      return random.randomBytes(random.below(60));
    case 1:
      return encodeCbor(
        random.pick<unknown>([{ odd }, [odd], [0, odd], [0, [odd]], { sequence: odd }]),
      );
    case 2: {
      const copy = Uint8Array.from(whole);
      copy[random.below(copy.length)] = random.below(256);
      return copy;
    }
    default:
      return whole.subarray(0, random.below(whole.length));
  }
}
