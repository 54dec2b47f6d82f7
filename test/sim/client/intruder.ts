/**
 * An intruder that knows the id of a session, which is easy to guess, but not its password; or one that knows the password too, and has
 * seen what no node has, as a client of another ensemble. It must get nothing and change nothing.
 */
import { JuteReader } from "../../../protocol/jute.ts";
import { PASSWORD_BYTES } from "../../../protocol/ids.ts";
import { FrameReader } from "../../../protocol/zookeeper/frames.ts";
import { must } from "../checks/violation.ts";
import type { Cluster } from "../cluster.ts";
import type { Link } from "../links.ts";
import type { Random } from "../random.ts";
import type { SimNode } from "../sim-node.ts";
import { connectFrame, readConnectReply } from "./wire.ts";

/** So many epochs ahead of all that will be committed. */
const AHEAD = 1000 * 2 ** 32;

const STRANGER = { name: "stranger" };
const REPLY_BYTES_MAX = 1000;

type Of = {
  readonly session: {
    readonly id: number;
    readonly password: Uint8Array;
    readonly timeoutMs: number;
  };
  readonly node: SimNode;
  readonly random: Random;
};

export function intrude(cluster: Cluster, of: Of): void {
  const { session, node, random } = of;
  const isAhead = random.chance(0.4);
  const frames = new FrameReader();
  const handler = {
    onBytes: (bytes: Uint8Array): void =>
      cluster.guard(() => {
        frames.push(bytes);
        const frame = frames.next(REPLY_BYTES_MAX);
        if (frame?.kind !== "frame") return;
        const { session: given } = readConnectReply(
          new JuteReader().reset(frame.bytes, frame.from, frame.to),
        );
        must(given === 0, "passwords", () => {
          return `session 0x${given.toString(16)} is given to a stranger by node ${node.id}`;
        });
        link?.leave(false);
      }),
    onEnd: () => {},
  };
  const link: Link | undefined = cluster.dial({ node: node.id, client: STRANGER, handler });
  link?.send(
    connectFrame({
      lastZxidSeen: isAhead ? cluster.truth.latest + AHEAD : 0,
      timeoutMs: session.timeoutMs,
      session: session.id,
      password: isAhead ? session.password : wrong(of),
    }),
  );
}

/** Another one of the right length, nearly the right one, or one of another length. */
function wrong({ session: { password }, random }: Of): Uint8Array {
  if (random.chance(0.3)) return random.randomBytes(random.below(2 * PASSWORD_BYTES));
  const other = random.chance(0.5) ? random.randomBytes(PASSWORD_BYTES) : Uint8Array.from(password);
  const at = random.below(other.length);
  other[at] = (password[at] ?? 0) ^ 1;
  return other;
}
