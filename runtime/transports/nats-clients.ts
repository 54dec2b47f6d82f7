/**
 * A lane's own connection to NATS, for its native clients. It hears the queue group of all gateways, which gives each new
 * client to one of them, and the lane's own subject. Clients' messages fit one NATS message; answers may go in fragments,
 * with the reply subject `f.<message>.<index>.<count>`.
 */
import type { Observable } from "rxjs";
import type { PeerId } from "../effects.ts";
import type { Transport, TransportStatus } from "../transport.ts";
import { checkEnsemble } from "./nats.ts";
import { type NatsOptions, openLink } from "./nats-link.ts";

export type ClientMessage = {
  readonly kind: "clientMessage";
  readonly subject: string;
  readonly reply: string;
  readonly bytes: Uint8Array;
};

export type NatsClientsOptions = Omit<NatsOptions, "name"> & {
  readonly ensemble: string;
  readonly id: PeerId;
  readonly lane: number;
  readonly onMessage: (message: ClientMessage) => void;
};

export type NatsClients = Pick<Transport, "publish" | "close"> & {
  readonly status$: Observable<TransportStatus>;
};

/** The group's name, the same for every gateway. */
const QUEUE = "gateways";

/** Rejects with a `NatsError`. Afterwards a lost connection only shows in `status$`. */
export async function connectNatsClients(options: NatsClientsOptions): Promise<NatsClients> {
  const { ensemble, id, lane, onMessage } = options;
  checkEnsemble(ensemble);
  const link = await openLink({ ...options, name: `zooid ${ensemble} ${id} clients ${lane}` });
  const shared = `zooid.${ensemble}.gateway`;
  const deliver = (subject: string, reply: string | undefined, bytes: Uint8Array): void => {
    if (reply !== undefined && reply !== "") {
      onMessage({ kind: "clientMessage", subject, reply, bytes });
    }
  };
  link.subscribe(shared, ({ subject, reply, data }) => deliver(subject, reply, data), QUEUE);
  link.subscribe(`${shared}.${id}.${lane}`, ({ subject, reply, data }) =>
    deliver(subject, reply, data),
  );
  try {
    await link.subscribed();
  } catch (error) {
    await link.close();
    throw error;
  }
  return {
    publish: (subject, bytes) => link.publish(subject, bytes, undefined, "f"),
    status$: link.status.asObservable(),
    close: () => link.close(),
  };
}
