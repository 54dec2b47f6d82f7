/** `zooid/client`, over NATS or over ZooKeeper's protocol. */
import { type Client, connect } from "../../../client/connect.ts";
import { type Library, type OpenLibrary, urlOf } from "./library.ts";

export const overNats: OpenLibrary = async ({ nats = "" }, root) =>
  library(await connect(nats), root);

export const overZooKeeper: OpenLibrary = async (target, root) => {
  return library(await connect(`zk://${urlOf(target)}`), root);
};

function library(client: Client, root: string): Library {
  return {
    prepare: async (places, value) => {
      await client.create(root);
      const all = Array.from({ length: places }, (_, place) =>
        client.create(`${root}/${place}`, value),
      );
      await Promise.all(all);
    },
    set: (place, value) => client.set(`${root}/${place}`, value),
    get: (place) => client.get(`${root}/${place}`),
    lock: async () => {
      const lock = await client.lock(`${root}/lock`);
      await lock.release();
    },
    [Symbol.asyncDispose]: async () => {
      await client.delete(root, { recursive: true });
      await client.close();
    },
  };
}
