/** What a page of the dashboard needs to have something to show, beside a large tree: sessions, a lock that others wait for, and a past. */
import { type Client, connect } from "../../../client/connect.ts";
import { formatSession } from "../../../protocol/ids.ts";
import { formatZxid } from "../../../protocol/zxid.ts";
import type { Address } from "../../load/plan.ts";
import { folderPath } from "../../load/zookeeper/fill.ts";

/** It comes last among the children of the root, and has as many children as the rest of the tree has znodes. */
export const PARENT = "/z-parent-of-many";
export const LOCK = "/a-lock";
/** A znode that has been set some times. */
export const CHANGED: string = folderPath(0);

const SESSIONS = 30;
const CHANGES = 20;

export type Furnished = AsyncDisposable & {
  readonly client: Client;
  /** A session that has an ephemeral, as the address of its page has it. */
  readonly session: string;
  /** The zxids before and after the changes. */
  readonly changes: { readonly from: string; readonly to: string };
};

export async function furnish(addresses: readonly Address[]): Promise<Furnished> {
  await using stack = new AsyncDisposableStack();
  const clients: Client[] = [];
  for (let number = 0; number < SESSIONS; number += 1) {
    const { host, port } = addresses[number % addresses.length] ?? { host: "", port: 0 };
    const client = await connect(`zk://${host}:${port}`);
    stack.defer(() => client.close());
    clients.push(client);
  }
  const [first] = clients;
  if (first === undefined) throw new Error("there is at least one session");
  await first.create(LOCK);
  for (const client of clients) {
    await client.create(`${LOCK}/lock-`, "", { ephemeral: true, sequential: true });
  }
  const { zxid: from } = await first.exists(CHANGED);
  for (let number = 0; number < CHANGES; number += 1) await first.set(CHANGED, `${number}`);
  const { zxid: to } = await first.exists(CHANGED);
  const owned = stack.move();
  const [member = ""] = (await first.children(LOCK)).children;
  const { stat } = await first.exists(`${LOCK}/${member}`);
  return {
    client: first,
    changes: { from: formatZxid(from), to: formatZxid(to) },
    session: formatSession(stat?.ephemeralOwner ?? 0),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
