/** Holds every node and client to the invariants, while a simulation runs. */
import { crc32 } from "node:zlib";
import type { LogSyncState } from "../../actors/log-sync/state.ts";
import type { TreeState } from "../../actors/tree/tree.ts";
import { recordHeader } from "../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";

export class Violation extends Error {
  override readonly name = "Violation";
}

export type Acknowledged = {
  readonly zxid: Zxid;
  /** Written into the data of a created node, unique to the operation. */
  readonly token: string;
  readonly path: string;
};

export class Checker {
  readonly acknowledged: Acknowledged[] = [];
  /** CRC of the record that ends at a zxid, as the first node that delivered it has it. */
  readonly #delivered = new Map<Zxid, number>();
  readonly #leaders = new Map<number, number>();
  readonly #digests = new Map<Zxid, string>();
  readonly #paths = new Map<string, string>();
  #committedMax = 0 as Zxid;

  /** I1: at most one leader in an epoch. I3: a committed record is in the log of every later leader. */
  leads(node: number, state: LogSyncState, epoch: number): void {
    const other = this.#leaders.get(epoch);
    if (other !== undefined && other !== node) {
      throw new Violation(`I1: nodes ${other} and ${node} both lead epoch ${epoch}`);
    }
    this.#leaders.set(epoch, node);
    if (!state.index.holds(this.#committedMax)) {
      throw new Violation(
        `I3: leader ${node} of epoch ${epoch} lacks committed ${formatZxid(this.#committedMax)}`,
      );
    }
  }

  /** I2 for what is committed: equal records in equal order everywhere. */
  delivers(node: number, record: Uint8Array): void {
    const { lastZxid } = recordHeader(record);
    const sum = crc32(record);
    const known = this.#delivered.get(lastZxid);
    if (known !== undefined && known !== sum) {
      throw new Violation(`I2: node ${node} committed another record at ${formatZxid(lastZxid)}`);
    }
    this.#delivered.set(lastZxid, sum);
    if (lastZxid > this.#committedMax) this.#committedMax = lastZxid;
  }

  /** I4: equal states at equal zxid. */
  digest(node: number, zxid: Zxid, digest: string): void {
    const known = this.#digests.get(zxid);
    if (known !== undefined && known !== digest) {
      throw new Violation(`I4: the tree of node ${node} differs at ${formatZxid(zxid)}`);
    }
    this.#digests.set(zxid, digest);
  }

  /** I5: what is acknowledged is durable on a quorum. */
  acknowledges(of: Acknowledged, durable: readonly Zxid[], quorum: number): void {
    const holders = durable.filter((zxid) => zxid >= of.zxid).length;
    if (holders < quorum) {
      throw new Violation(
        `I5: ${of.path} at ${formatZxid(of.zxid)} is durable on ${holders} only: ${durable.map(formatZxid).join(" ")}`,
      );
    }
    const other = this.#paths.get(of.path);
    if (other !== undefined && other !== of.token) {
      throw new Violation(`sequential names: ${of.path} was given to ${other} and ${of.token}`);
    }
    this.#paths.set(of.path, of.token);
    this.acknowledged.push(of);
  }

  /** After everything has healed: every acknowledged node is there, and no operation happened twice. */
  final(node: number, tree: TreeState): void {
    const tokens = new Set<string>();
    for (const [path, znode] of tree.nodes.byPath) {
      if (!path.startsWith("/seq/")) continue;
      const token = Buffer.from(znode.data ?? []).toString();
      if (tokens.has(token)) throw new Violation(`node ${node}: ${token} was applied twice`);
      tokens.add(token);
    }
    for (const { path, token, zxid } of this.acknowledged) {
      const znode = tree.nodes.byPath.get(path);
      if (znode === undefined || Buffer.from(znode.data ?? []).toString() !== token) {
        throw new Violation(
          `node ${node} lost the acknowledged write ${path} at ${formatZxid(zxid)}`,
        );
      }
    }
  }
}
