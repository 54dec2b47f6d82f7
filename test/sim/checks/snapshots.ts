/** Every snapshot that is cut anywhere holds what the model holds at its zxid, whether it is ever loaded or not. */
import { STILL } from "../../../runtime/testing/driven.ts";
import { crc32 } from "node:zlib";
import { snapshotName } from "../../../actors/log/format/files.ts";
import type { SnapshotIdentity } from "../../../protocol/replication.ts";
import { beginLoad, loadChunk } from "../../../actors/tree/snapshot/load.ts";
import { HASH_KEY_BYTES } from "../../../actors/tree/store/name-hash.ts";
import { createState, type TreeState, type TreeTurn } from "../../../actors/tree/state.ts";
import type { ServerId } from "../../../protocol/ids.ts";
import { chunkHeader } from "../../../protocol/snapshot.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import { treeProblemAt } from "./trees.ts";
import type { Truth } from "./truth.ts";
import { must } from "./violation.ts";

export class SnapshotChecks {
  readonly #truth: Truth;
  readonly #seen = new Set<string>();

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  /** The node's log says that it has stored this one. */
  stored(node: number, disk: MemoryDisk, { zxid, checksum }: SnapshotIdentity): void {
    const bytes = disk.content(snapshotName(zxid));
    const key = `${zxid} ${checksum}`;
    // Purged already, or the same as another node's.
    if (bytes === undefined || this.#seen.has(key)) return;
    this.#seen.add(key);
    const { model } = this.#truth;
    const who = `the snapshot at ${formatZxid(zxid)} of node ${node}`;
    const { tree, fault } = loaded(bytes);
    must(fault === undefined, "I4 equal trees", () => `${who} cannot be loaded: ${fault ?? ""}`);
    let count = 0;
    for (const path of model.paths) {
      const problem = treeProblemAt(tree, model, path, zxid);
      must(problem === undefined, "I4 equal trees", () => `${who}: ${path}: ${problem}`);
      if (tree.znodes.find(path) !== undefined) count += 1;
    }
    must(count === tree.znodes.size, "I4 equal trees", () => {
      return `${who} holds ${tree.znodes.size} znodes, not ${count}`;
    });
  }
}

function loaded(bytes: Uint8Array): { readonly tree: TreeState; readonly fault?: string } {
  const tree = createState(
    { server: 1 as ServerId, lane: 1, crc32 },
    STILL.randomBytes(HASH_KEY_BYTES),
  );
  const turn: TreeTurn = { ...STILL, state: tree, effects: [] };
  try {
    for (let position = 0; position < bytes.length; ) {
      const { length, zxid, index } = chunkHeader(bytes.subarray(position));
      if (index === 0) beginLoad(turn, zxid);
      const chunk = bytes.slice(position, position + length);
      loadChunk(turn, { kind: "snapshotChunk", zxid, index, position, bytes: chunk });
      position += length;
    }
    return { tree };
  } catch (error) {
    return { tree, fault: String(error) };
  }
}
