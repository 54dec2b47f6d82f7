/** Fills a tree through several connections, as fast as it goes. */
import { Buffer } from "node:buffer";
import { BenchError } from "../../failure.ts";
import { count } from "../../report/table.ts";
import type { Screen } from "../../screen.ts";
import { SEQUENCE_DIGITS } from "../layout.ts";
import type { Address } from "../plan.ts";
import { Recorder } from "../recorder.ts";
import { LoadConnection } from "./connection.ts";
import { createFrame } from "./wire.ts";

/** How many children each parent in the tree has. */
export const FOLDER_ZNODES = 1000;
const CONNECTIONS = 8;
const OUTSTANDING = 256;
const TELL_EVERY_FOLDERS = 50;

export type FillPlan = {
  readonly znodes: number;
  readonly valueBytes: number;
  /** How long the paths are at least, in bytes. Default: as short as they come. */
  readonly pathBytes?: number;
  /** Below what the znodes go; it exists. Default: the root. */
  readonly root?: string;
  /** All become children of `root` itself, which is made first. Default: a thousand have a parent below it. */
  readonly isFlat?: boolean;
};

/** Returns how many seconds it took. The connections spread over the servers. */
export async function fill(
  addresses: readonly Address[],
  plan: FillPlan,
  { screen, signal }: { readonly screen: Screen; readonly signal: AbortSignal },
): Promise<number> {
  const began = performance.now();
  const recorder = new Recorder();
  const value = Buffer.alloc(plan.valueBytes, "z");
  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, index) => {
      const address = addresses[index % addresses.length];
      if (address === undefined) throw new BenchError("a tree needs a server");
      const connection = new LoadConnection(address, recorder, OUTSTANDING);
      await connection.open();
      return connection;
    }),
  );
  const { root = "", isFlat = false } = plan;
  const empty = Buffer.alloc(0);
  if (isFlat) await connections[0]?.request(createFrame(root, empty));
  const folders = Math.ceil(plan.znodes / FOLDER_ZNODES);
  let next = 0;
  const work = async (connection: LoadConnection): Promise<void> => {
    while (next < folders && !signal.aborted) {
      const folder = next;
      next += 1;
      const path = folderPath(folder, root);
      if (!isFlat) await connection.request(createFrame(path, empty));
      const znode = `${`${path}${isFlat ? "-" : "/"}z`.padEnd((plan.pathBytes ?? 0) - SEQUENCE_DIGITS, "x")}${"0".repeat(SEQUENCE_DIGITS)}`;
      const bytes = createFrame(znode, value);
      const sequenceEnds = [bytes.indexOf(znode) + znode.length];
      const size = Math.min(FOLDER_ZNODES, plan.znodes - folder * FOLDER_ZNODES);
      await connection.run({ frames: [{ bytes, sequenceEnds, isRead: false }], count: size });
      if (connection.lost !== undefined) throw new BenchError(String(connection.lost));
      if (folder % TELL_EVERY_FOLDERS === 0) {
        screen.status(`filled ${count(folder * FOLDER_ZNODES)} of ${count(plan.znodes)} znodes`);
      }
    }
  };
  await Promise.all(connections.map(work));
  signal.throwIfAborted();
  for (const connection of connections) connection.close();
  if (recorder.errors.size > 0) {
    const errors = [...recorder.errors].map(([code, times]) => `${code} ${times} times`);
    throw new BenchError(`filling the tree, errors came: ${errors.join(", ")}`);
  }
  return (performance.now() - began) / 1000;
}

export function folderPath(folder: number, root = ""): string {
  return `${root}/f${String(folder).padStart(6, "0")}`;
}

/** The path of a znode that `fill` has made with short paths: the one of the number, from 0, among the thousand of a folder. */
export function znodePath(
  { folder, number }: { readonly folder: number; readonly number: number },
  { root = "", isFlat = false }: Pick<FillPlan, "root" | "isFlat"> = {},
): string {
  const name = `z${String(number).padStart(SEQUENCE_DIGITS, "0")}`;
  return `${folderPath(folder, root)}${isFlat ? "-" : "/"}${name}`;
}
