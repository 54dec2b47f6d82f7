/**
 * A lane's own connection to NATS, for its native clients. It hears the queue group of all gateways, which gives each new
 * client to one of them, and the lane's own subject. Clients' messages fit one NATS message; answers may go in fragments,
 * with the reply subject `f.<message>.<index>.<count>`.
 */
import type { Msg } from "@nats-io/transport-node";
import type { Observable } from "rxjs";
import type { Publisher, Transport, TransportStatus } from "../transport.ts";
import { type NatsOptions, openLink } from "./link.ts";

export type ClientMessage = {
  readonly kind: "clientMessage";
  readonly subject: string;
  readonly reply: string;
  readonly bytes: Uint8Array;
};

export type NatsClientsOptions = NatsOptions & {
  /** New clients of any gateway ask here. */
  readonly sharedSubject: string;
  /** The lane's own clients ask here. */
  readonly laneSubject: string;
  /** What comes here is taken from the beginning on, also before `listen`. Default: nothing is. */
  readonly alwaysSubjects?: readonly string[];
  readonly onMessage: (message: ClientMessage) => void;
};

export type NatsClients = Publisher &
  Pick<Transport, "close"> & {
    readonly status$: Observable<TransportStatus>;
    /** From now on clients are heard; before, they are told at once that nobody is there. */
    readonly listen: () => void;
    /** New clients are left to other gateways from now on. Those that there are, are heard. */
    readonly leave: () => void;
  };

/** The group's name, the same for every gateway. */
const QUEUE = "gateways";

/** Rejects with a `NatsError`. Afterwards a lost connection only shows in `status$`. */
export async function connectNatsClients(options: NatsClientsOptions): Promise<NatsClients> {
  const { sharedSubject, laneSubject, alwaysSubjects = [], onMessage } = options;
  const link = await openLink(options);
  let isListening = false;
  const take = ({ subject, reply, data: bytes }: Msg): void => {
    if (reply !== undefined && reply !== "") {
      onMessage({ kind: "clientMessage", subject, reply, bytes });
    }
  };
  const deliver = (message: Msg): void => {
    if (isListening) take(message);
  };
  const listen = (queue?: string): readonly [shared: () => void, own: () => void] => [
    link.subscribe(sharedSubject, deliver, queue),
    link.subscribe(laneSubject, deliver),
  ];
  let hasLeft = false;
  let leaveShared = (): void => undefined;
  try {
    // A missing permission must show at the start, and not when the first client comes. It is tried outside of the group, so that
    // no client is taken from another gateway.
    const tried = listen();
    for (const subject of alwaysSubjects) link.subscribe(subject, take);
    await link.subscribed();
    for (const unsubscribe of tried) unsubscribe();
  } catch (error) {
    await link.close();
    throw error;
  }
  return {
    publish: (subject, bytes) => link.publish(subject, bytes, undefined, "f"),
    offer: (messages) => link.offer(messages),
    status$: link.status.asObservable(),
    listen: () => {
      if (isListening || hasLeft) return;
      isListening = true;
      [leaveShared] = listen(QUEUE);
    },
    leave: () => {
      hasLeft = true;
      leaveShared();
    },
    close: () => link.close(),
  };
}
