/** A program that somebody tests with `zooid/testing`: a lock of ephemeral sequential znodes, each of which waits for the one before it. */
import { filter, firstValueFrom } from "rxjs";
import type { Client } from "../../../testing/ensemble.ts";

export type Lock = { readonly release: () => Promise<void> };

export async function acquire(client: Client, folder: string): Promise<Lock> {
  const options = { ephemeral: true, sequential: true };
  const { path } = await client.create(`${folder}/lock-`, null, options);
  for (;;) {
    const { children, zxid } = await client.children(folder);
    const all = children.map((name) => `${folder}/${name}`).toSorted();
    const before = all[all.indexOf(path) - 1];
    if (before === undefined) return { release: () => client.delete(path) };
    const changes = client.changes(before, { from: zxid });
    await firstValueFrom(changes.pipe(filter(({ kind }) => kind === "deleted")));
  }
}
