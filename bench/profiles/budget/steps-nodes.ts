/** Three nodes that count their steps, and a nats-server for them. */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BenchError } from "../../failure.ts";
import type { Address } from "../../load/plan.ts";
import { NatsMonitor } from "./nats-monitor.ts";
import type { StepOrder, StepReport } from "./steps-node.ts";

const ENTRY: string = fileURLToPath(new URL("./steps-node.ts", import.meta.url));
const MEMBERS: readonly number[] = [1, 2, 3];

export type StepCounts = StepReport & { readonly kind: "counts" };

export class StepsNodes implements AsyncDisposable {
  readonly addresses: readonly Address[];
  readonly #children: readonly ChildProcess[];
  readonly #stack: AsyncDisposableStack;

  private constructor(
    addresses: readonly Address[],
    children: readonly ChildProcess[],
    stack: AsyncDisposableStack,
  ) {
    this.addresses = addresses;
    this.#children = children;
    this.#stack = stack;
  }

  static async start(folder: string): Promise<StepsNodes> {
    const stack = new AsyncDisposableStack();
    try {
      const dataFolder = await mkdtemp(join(folder, "zooid-bench-steps-"));
      stack.defer(() => rm(dataFolder, { recursive: true, force: true }));
      const nats = stack.use(await NatsMonitor.start());
      const children = MEMBERS.map(() => fork(ENTRY, [], { execArgv: [] }));
      stack.defer(async () => {
        await Promise.all(children.map(ended));
      });
      const starting = children.map((child, index) => {
        const id = index + 1;
        return ask(child, "started", {
          kind: "start",
          settings: {
            id,
            members: MEMBERS,
            natsUrls: [nats.url],
            clientPort: 0,
            clientPortAddress: "127.0.0.1",
            dataDir: join(dataFolder, String(id)),
          },
        });
      });
      const started = await Promise.all(starting);
      const addresses = started.map(({ port }) => ({ host: "127.0.0.1", port }));
      return new StepsNodes(addresses, children, stack);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** What each node has counted since the last time. */
  counts(): Promise<readonly StepCounts[]> {
    return Promise.all(this.#children.map((child) => ask(child, "counts", { kind: "count" })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function ask<Kind extends StepReport["kind"]>(
  child: ChildProcess,
  kind: Kind,
  order: StepOrder,
): Promise<StepReport & { readonly kind: Kind }> {
  return new Promise((resolve, reject) => {
    const isWanted = (report: StepReport): report is StepReport & { readonly kind: Kind } =>
      report.kind === kind;
    child.once("message", (report: StepReport) => {
      if (isWanted(report)) resolve(report);
      else reject(new BenchError(report.kind === "failed" ? report.message : `not ${kind}`));
    });
    child.once("exit", (code) => reject(new BenchError(`a node ended (exit ${code})`)));
    child.send(order);
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.once("exit", () => resolve());
    if (child.connected) child.disconnect();
  });
}
