/** `@nats-io/kv`, the key-value store of JetStream. It has no lock. */
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { BUCKET } from "../../load/jetstream/client.ts";
import { type OpenLibrary, urlOf } from "./library.ts";

export const kv: OpenLibrary = async (target, root) => {
  const connection = await connect({ servers: urlOf(target).split(",") });
  const bucket = await new Kvm(connection).open(BUCKET, { allow_direct: true });
  const keyOf = (place: number): string => `${root.slice(1)}.${place}`;
  let kept = 0;
  return {
    prepare: async (places, value) => {
      kept = places;
      const all = Array.from({ length: places }, (_, place) => bucket.put(keyOf(place), value));
      await Promise.all(all);
    },
    set: (place, value) => bucket.put(keyOf(place), value),
    get: (place) => bucket.get(keyOf(place)),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(Array.from({ length: kept }, (_, place) => bucket.purge(keyOf(place))));
      await connection.close();
    },
  };
};
