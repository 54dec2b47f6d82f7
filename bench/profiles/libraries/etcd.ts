/** etcd3, over gRPC. Its reads are serializable, as those of ZooKeeper are. */
import { Etcd3 } from "etcd3";
import { type OpenLibrary, urlOf } from "./library.ts";

const LOCK_SECONDS = 10;

export const etcd: OpenLibrary = async (target, root) => {
  const client = new Etcd3({ hosts: urlOf(target).split(",") });
  return {
    prepare: async (places, value) => {
      const bytes = Buffer.from(value);
      const all = Array.from({ length: places }, (_, place) =>
        client.put(`${root}/${place}`).value(bytes).exec(),
      );
      await Promise.all(all);
    },
    set: (place, value) => client.put(`${root}/${place}`).value(Buffer.from(value)).exec(),
    get: (place) => client.get(`${root}/${place}`).serializable(true).buffer(),
    lock: async () => {
      const lock = client.lock(`${root}/lock`).ttl(LOCK_SECONDS);
      await lock.acquire();
      await lock.release();
    },
    [Symbol.asyncDispose]: async () => {
      await client.delete().prefix(`${root}/`).exec();
      client.close();
    },
  };
};
