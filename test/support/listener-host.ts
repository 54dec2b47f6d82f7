/** A listener of one door in a test, and what it has said. */
import type { DoorOptions } from "../../runtime/connections/door.ts";
import { Listener, type ListenerOptions } from "../../runtime/connections/listener.ts";
import type { ConnectionMessage } from "../../runtime/effects.ts";

/** About a connection that was admitted. */
export type Told = Exclude<ConnectionMessage, { readonly kind: "refused" }>;

export type Host = {
  readonly listener: Listener;
  readonly port: number;
  readonly messages: Told[];
  /** Resolves when a message that fits has come. */
  readonly until: (fits: (message: Told) => boolean) => Promise<Told>;
};

export async function host(
  { door, ...options }: Partial<ListenerOptions> & { readonly door?: Partial<DoorOptions> } = {},
  heard: (message: ConnectionMessage) => void = () => {},
): Promise<Host> {
  const messages: Told[] = [];
  const waiting = new Set<() => void>();
  const listener = new Listener({
    doors: [{ host: "127.0.0.1", port: 0, ...door }],
    onMessage: (message) => {
      if (message.kind !== "refused") messages.push(message);
      heard(message);
      for (const check of waiting) check();
    },
    ...options,
  });
  const [address] = await listener.listen();
  if (address === undefined) throw new Error("a listener without a door");
  const { port } = address;
  const until = (fits: (message: Told) => boolean): Promise<Told> =>
    new Promise((resolve) => {
      const check = (): void => {
        const found = messages.find(fits);
        if (found === undefined) return;
        waiting.delete(check);
        resolve(found);
      };
      waiting.add(check);
      check();
    });
  return { listener, port, messages, until };
}
