/** What a story does to disks. */
import { MemoryDisk } from "../../../runtime/testing/memory-disk.ts";
import type { Cluster } from "../cluster.ts";
import { lose } from "../damage.ts";
import { fillDisk, freeDisk } from "../faults/disk-space.ts";
import { copyFolder, loseLastWrite, losePart, putBack, replaceLiving } from "../losses.ts";
import type { SimNode } from "../sim-node.ts";

/** Writes a step of the story and does it. `run` returns false when there is nothing to do, or when an ensemble would not survive it. */
type Step = (text: string, run: () => boolean) => void;

export class DiskVerbs {
  readonly #cluster: Cluster;
  readonly #step: Step;

  constructor(cluster: Cluster, step: Step) {
    this.#cluster = cluster;
    this.#step = step;
  }

  fill(...nodes: readonly SimNode[]): void {
    this.#all(`the disk of ${named(nodes)} is full`, nodes, (node) => fillDisk(node, 0));
  }

  freeSpace(...nodes: readonly SimNode[]): void {
    this.#all(`there is room again on the disk of ${named(nodes)}`, nodes, freeDisk);
  }

  /** Each sync takes this much longer from now on. */
  slowSync(node: SimNode, byMs: number): void {
    this.#all(`each sync of node ${node.id} takes ${byMs} ms`, [node], ({ faults }) => {
      faults.syncMs = byMs;
    });
  }

  failNextSync(node: SimNode): void {
    this.#all(`the next sync of node ${node.id} fails`, [node], ({ faults }) => {
      faults.failNext = { kind: "sync", code: "EIO" };
    });
  }

  /** The node must be down. Nothing is left on its disk. */
  empty(node: SimNode): void {
    this.#step(`node ${node.id} gets an empty disk`, () =>
      losePart(this.#cluster, node, "everything"),
    );
  }

  /** The nodes must be down. An ensemble need not survive it. */
  emptyTooMany(...nodes: readonly SimNode[]): void {
    this.#all(`${named(nodes)} get empty disks`, nodes, (node) => {
      lose.everything(node.disk);
      this.#cluster.invariants.damaged(node.log);
    });
  }

  /** The node must be down. The rest of its folder stays. */
  removeLog(node: SimNode): void {
    this.#all(`the log of node ${node.id} is lost, and nothing else`, [node], ({ disk, log }) => {
      for (const file of Object.keys(disk.snapshot())) {
        if (file.startsWith("log.")) disk.perform({ kind: "remove", file });
      }
      disk.perform({ kind: "syncFolder" });
      this.#cluster.invariants.damaged(log);
    });
  }

  losePromise(node: SimNode): void {
    this.#step(`the promise of node ${node.id} is lost from its disk`, () =>
      losePart(this.#cluster, node, "promise"),
    );
  }

  loseLastWrite(node: SimNode): void {
    this.#step(`the last write of the log of node ${node.id} is lost, though it was synced`, () =>
      loseLastWrite(this.#cluster, node),
    );
  }

  copy(node: SimNode): void {
    this.#step(`the folder of node ${node.id} is copied`, () => copyFolder(this.#cluster, node));
  }

  /** The node must be down. The copy takes the place of its folder. */
  putBack(node: SimNode): void {
    this.#step(`the copy takes the place of the folder of node ${node.id}`, () =>
      putBack(this.#cluster, node),
    );
  }

  /** A process on the copy is started beside the node, and all hear it. */
  startCopyBeside(node: SimNode): void {
    this.#all(`a process is started on the copy, beside node ${node.id}`, [node], ({ copy }) => {
      const { ghosts } = this.#cluster;
      const beside = ghosts.newProcess(node, "copy");
      beside.disk = new MemoryDisk({ files: copy?.files ?? {} });
      this.#cluster.start(beside);
      ghosts.meet("copy");
    });
  }

  /** An empty folder takes the number of a node that goes on, apart from all others until `meetReplaced`. */
  replaceLiving(node: SimNode): void {
    const text = `a process with an empty folder is started as node ${node.id}, which goes on apart`;
    this.#step(text, () => replaceLiving(this.#cluster, node));
  }

  meetReplaced(): void {
    this.#all("who was replaced hears the others again", [], () => {});
    this.#cluster.ghosts.meet("replaced");
  }

  #all(text: string, nodes: readonly SimNode[], run: (node: SimNode) => void): void {
    this.#step(text, () => {
      for (const node of nodes) run(node);
      return true;
    });
  }
}

function named(nodes: readonly SimNode[]): string {
  return `node ${nodes.map(({ id }) => id).join(" and ")}`;
}
