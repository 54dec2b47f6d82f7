/**
 * Somebody who can publish on the network of the nodes, and has heard them. Whoever knows a living process' header can speak for
 * it in all that is well-formed and in range: from that only a key protects (docs/decisions/0015-peer-keys.md), so it is not
 * played here. Played is all that is refused without one: what is no frame, a frame cut short, a real header with what is no message,
 * and whole messages of a process of another ensemble, or of none. (Epochs beyond all sense make a new folder need minutes until it believes
 * the real one, as it is meant; forged-peers.test.ts has them.)
 */
import type { ServerId } from "../../../protocol/ids.ts";
import { hexOfBytes, IDENTITY_BYTES } from "../../../protocol/identity.ts";
import { encodeFrame, encodeHeader } from "../../../protocol/peer-frame.ts";
import { withBody } from "../../support/frames.ts";
import { HostilePeers, PEER_MESSAGES } from "../../support/hostile-peers.ts";
import type { Cluster } from "../cluster.ts";
import type { Random } from "../random.ts";
import type { FaultKind } from "./kinds.ts";
import type { Inject, Injection } from "./target.ts";

const MESSAGES_MAX = 200;

type Forged = { readonly actor: string; readonly bytes: Uint8Array };

export function strangerFaults({
  cluster,
  random,
  later,
  say,
}: Injection): Record<"hostilePeer", Inject> {
  const stranger = new HostilePeers(() => random.random());
  return {
    hostilePeer: ({ node, other }) => {
      const count = random.whole(1, MESSAGES_MAX);
      for (let index = 0; index < count; index += 1) {
        later(random.wait(5) * index, () => {
          const forged = nextForged(cluster, random, stranger, other.id);
          cluster.network.forge({ from: other.id, to: node.id, ...forged });
        });
      }
      return say(`a stranger speaks to ${node.id} as ${other.id}, ${count} times`);
    },
  } satisfies Partial<Record<FaultKind, Inject>>;
}

function nextForged(
  { network }: Cluster,
  random: Random,
  stranger: HostilePeers,
  from: ServerId,
): Forged {
  const real = network.lastOf(from);
  const forged = random.pick([
    () => stranger.malformed(),
    () => withHead(real, stranger.malformed()),
    () => ({ actor: "log-sync", bytes: (real ?? NOTHING).subarray(0, random.below(200)) }),
    () => ofAnother(random, from),
  ]);
  return forged();
}

const NOTHING = new Uint8Array(0);

function withHead(real: Uint8Array | undefined, { actor, bytes }: Forged): Forged {
  return { actor, bytes: real === undefined ? bytes : withBody(real, bytes) };
}

/** Right in all but who speaks. Who belongs to no ensemble may ask to join one, as anybody with an empty folder may. */
function ofAnother(random: Random, server: ServerId): Forged {
  const newIdentity = (): string => hexOfBytes(random.randomBytes(IDENTITY_BYTES));
  const header = {
    server,
    ensembleId: random.chance(0.8) ? newIdentity() : undefined,
    identity: newIdentity(),
    incarnation: random.whole(1, 100),
    nonce: random.whole(1, 1_000_000),
    configurationVersion: random.whole(0, 3),
  };
  const actor = random.pick(Object.keys(PEER_MESSAGES));
  const messages = (PEER_MESSAGES[actor] ?? []).filter(({ kind }) => kind !== "join");
  const bytes = encodeFrame(encodeHeader(header, "message"), random.pick(messages));
  return { actor, bytes: new Uint8Array(bytes) };
}
