/** node-zookeeper-client, the client of Node's programs until now. It has no lock. */
import { once } from "node:events";
import { createClient } from "node-zookeeper-client";
import { type OpenLibrary, urlOf } from "./library.ts";

export const nodeZooKeeper: OpenLibrary = async (target, root) => {
  const client = createClient(urlOf(target));
  const connected = once(client, "connected");
  client.connect();
  await connected;
  const create = (path: string, data: Buffer): Promise<unknown> =>
    new Promise((resolve, reject) => client.create(path, data, settled(resolve, reject)));
  const remove = (path: string): Promise<unknown> =>
    new Promise((resolve, reject) => client.remove(path, settled(resolve, reject)));
  let kept = 0;
  return {
    prepare: async (places, value) => {
      kept = places;
      const bytes = Buffer.from(value);
      await create(root, Buffer.alloc(0));
      const all = Array.from({ length: places }, (_, place) => create(`${root}/${place}`, bytes));
      await Promise.all(all);
    },
    set: (place, value) =>
      new Promise((resolve, reject) => {
        client.setData(`${root}/${place}`, Buffer.from(value), settled(resolve, reject));
      }),
    get: (place) =>
      new Promise((resolve, reject) =>
        client.getData(`${root}/${place}`, settled(resolve, reject)),
      ),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Array.from({ length: kept }, (_, place) => remove(`${root}/${place}`)));
      await remove(root);
      client.close();
    },
  };
};

function settled(
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): (error: unknown, value?: unknown) => void {
  return (error, value) => {
    if (error === null || error === undefined) resolve(value);
    else reject(error);
  };
}
