/** What is so with a node, as streams that begin with how it is now. */
import type { Observable } from "rxjs";
import { distinctUntilChanged } from "rxjs/internal/operators/distinctUntilChanged";
import { map } from "rxjs/internal/operators/map";
import { of } from "rxjs/internal/observable/of";
import { ReplaySubject } from "rxjs/internal/ReplaySubject";
import { share } from "rxjs/internal/operators/share";
import { startWith } from "rxjs/internal/operators/startWith";
import { switchMap } from "rxjs/internal/operators/switchMap";
import type { NatsConnections } from "../actors/admin/messages.ts";
import type { ServerId } from "../protocol/ids.ts";
import { type Leadership, NO_LEADERSHIP } from "../protocol/replication.ts";
import type { ActorSystem } from "../runtime/system.ts";
import { observe } from "./wiring.ts";

const NO_NATS: NatsConnections = {
  kind: "natsConnections",
  peers: undefined,
  lanes: new Map(),
};

export type NodeState = {
  readonly leadership$: Observable<Leadership>;
  readonly peers$: Observable<readonly ServerId[]>;
  readonly nats$: Observable<NatsConnections>;
};

/** They complete when the system stops. */
export function stateOf(system: ActorSystem, id: ServerId): NodeState {
  const leadership$ = lasting(
    observe(system, "leadership").pipe(startWith(NO_LEADERSHIP), distinctUntilChanged(isSame)),
  );
  return {
    leadership$,
    peers$: lasting(inContact(system, leadership$, id)),
    nats$: lasting(observe(system, "nats").pipe(startWith(NO_NATS))),
  };
}

function isSame(a: Leadership, b: Leadership): boolean {
  return (
    a.role === b.role && a.epoch === b.epoch && a.leader === b.leader && a.admission === b.admission
  );
}

/** A leader hears its followers, a follower its leader. Who looks for a leader relies on nobody. */
function inContact(
  system: ActorSystem,
  leadership$: Observable<Leadership>,
  id: ServerId,
): Observable<readonly ServerId[]> {
  // Shared, since what a leader of an earlier epoch heard last is no news to one that begins.
  const peers$ = observe(system, "peers").pipe(share());
  peers$.subscribe();
  return leadership$.pipe(
    map(({ role, leader, epoch }) => {
      const isHeard = leader === id || role === "following";
      return { leader: isHeard ? leader : undefined, epoch };
    }),
    distinctUntilChanged((a, b) => a.leader === b.leader && a.epoch === b.epoch),
    switchMap(({ leader }) => {
      if (leader === undefined) return of([]);
      if (leader !== id) return of([leader]);
      return peers$.pipe(
        map(({ alive }) => alive.filter((peer) => peer !== id).toSorted((a, b) => a - b)),
        startWith([]),
      );
    }),
    distinctUntilChanged((a, b) => String(a) === String(b)),
  );
}

/** Followed from now on, whoever subscribes; each subscriber hears the last value at once, also after the end. */
function lasting<Value>(source: Observable<Value>): Observable<Value> {
  const last = new ReplaySubject<Value>(1);
  source.subscribe(last);
  return last.asObservable();
}
