/**
 * Makes of a restored state that of a new ensemble (decision 51). Its zxids lie far above all that clients of the former ensemble have
 * seen, also of what came after the backup: so no client is turned away for having seen more, and no change stream goes on in a history
 * that is not this one. Nobody can go on with a session of the former ensemble: its password is another now. So it ends by its timeout,
 * and its ephemerals with it, while its client hears at once that it has expired, and reads everything again.
 */
import { createHash } from "node:crypto";
import type { TreeState } from "../../actors/tree/state.ts";
import { createSubmitters } from "../../actors/tree/store/submitters.ts";
import { PASSWORD_BYTES } from "../../protocol/ids.ts";
import { EPOCH_MAX, epoch, epochOf, formatZxid, type Zxid, zxidOf } from "../../protocol/zxid.ts";

/** How many elections the former ensemble may have held after its backup was made. */
export const EPOCHS_ABOVE = 1024;

/** The epochs of a restored ensemble come to an end, as those of each. */
export class NoEpochLeft extends Error {
  override readonly name = "NoEpochLeft";
}

/**
 * Changes the state. What it becomes follows from the state and from `sha256`, the backup's, alone: nodes that are restored from one
 * backup, to one zxid, begin equal, and those that are restored from two begin at different zxids, so that they never pass for equal.
 */
export function beginNewEnsemble(tree: TreeState, sha256: string): void {
  const restored = tree.lastApplied;
  tree.lastApplied = firstZxid(restored, sha256);
  tree.submitters = createSubmitters();
  tree.configuration = undefined;
  tree.kept.bytes = 0;
  for (const [id, session] of tree.sessions) {
    const none = { address: undefined, who: undefined, requests: undefined };
    const password = otherPassword(session.password, sha256);
    tree.sessions.set(id, { ...session, ...none, password });
  }
}

function firstZxid(restored: Zxid, sha256: string): Zxid {
  const above = epochOf(restored) + EPOCHS_ABOVE;
  if (above >= EPOCH_MAX) {
    throw new NoEpochLeft(
      `the state at zxid ${formatZxid(restored)} is of epoch ${epochOf(restored)}, and the new ensemble would begin above epoch ${EPOCH_MAX}, the last there is`,
    );
  }
  const digest = createHash("sha256")
    .update(`${sha256} ${formatZxid(restored)}`)
    .digest();
  return zxidOf(epoch(above), digest.readUInt32BE(0));
}

/** Nobody knows it who knows only the former one, as its client does. */
function otherPassword(password: Uint8Array, sha256: string): Uint8Array {
  const digest = createHash("sha256").update(sha256).update(password).digest();
  return new Uint8Array(digest.subarray(0, PASSWORD_BYTES));
}
