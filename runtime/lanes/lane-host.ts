/** What runs on the lane's thread: it takes letters from its port into the lane's system until it is told to stop. */
import type { MessagePort } from "node:worker_threads";
import type { Subscription } from "rxjs";
import { bufferTime } from "rxjs/internal/operators/bufferTime";
import { filter } from "rxjs/internal/operators/filter";
import type { InspectionEvent } from "../inspection.ts";
import { type AnnouncedPosts, Inlet } from "./inlet.ts";
import type { FromLane, ToLane } from "./lane-protocol.ts";
import { parcelOf } from "./own-bytes.ts";
import type { ActorSystem, Link } from "../system.ts";

/** How letters come to a lane. */
export type LetterBox = { readonly port: MessagePort; readonly announced: AnnouncedPosts };

/** The task of a lane gets its letter box beside its own data. */
export type LaneTask<Data> = Data & LetterBox;

/** What a lane has built: its actors, and what it must close at the end. */
export type LaneBody = {
  readonly system: ActorSystem;
  readonly close: () => Promise<void>;
  /** Told to the other side once all is in place. */
  readonly detail: Readonly<Record<string, number>>;
};

export type LaneHost = {
  /** To the actors of the main thread. */
  readonly link: Link;
  /** Tells an actor of the lane what a client has sent. */
  readonly hear: (to: string, message: object) => void;
  /** For what is not an actor; the actors' own events go by themselves. */
  readonly onInspection: (event: InspectionEvent) => void;
  readonly onStopNode: (reason: string) => void;
  /** Aborted when the lane is to stop, perhaps before all is in place. */
  readonly signal: AbortSignal;
};

/** Steps go to the main thread together, so that observing them costs a lane little. */
const STEPS_TOGETHER_MS = 50;

function tellSteps(system: ActorSystem, say: (message: FromLane) => void): Subscription {
  return system.steps$
    .pipe(
      bufferTime(STEPS_TOGETHER_MS),
      filter((steps) => steps.length > 0),
    )
    .subscribe((steps) => say({ kind: "steps", steps }));
}

export async function hostLane(
  { port, announced }: LetterBox,
  build: (host: LaneHost) => Promise<LaneBody>,
): Promise<void> {
  const say = (message: FromLane): void => port.postMessage(message);
  const stopped = Promise.withResolvers<void>();
  const aborted = new AbortController();
  const inlet = new Inlet(announced);
  let system: ActorSystem | undefined;
  let observing: Subscription | undefined;
  port.on("message", (message: ToLane) => {
    if (message.kind === "letters") inlet.receive(message.letters);
    else if (message.kind === "stop") {
      aborted.abort();
      stopped.resolve();
    } else if (message.kind === "areYouThere") {
      say({ kind: "hereIAm" });
    } else if (system !== undefined) {
      observing?.unsubscribe();
      observing = message.wanted ? tellSteps(system, say) : undefined;
    }
  });
  const onInspection = (event: InspectionEvent): void => say({ kind: "inspection", event });
  const body = await build({
    link: {
      post: (letters) => {
        const { letters: own, transfer } = parcelOf(letters);
        const message: FromLane = { kind: "letters", letters: own };
        port.postMessage(message, transfer);
      },
    },
    hear: (to, message) => inlet.hear(to, message),
    onInspection,
    onStopNode: (reason) => say({ kind: "stopNode", reason }),
    signal: aborted.signal,
  });
  body.system.inspection$.subscribe(onInspection);
  system = body.system;
  inlet.open(system);
  say({ kind: "ready", detail: body.detail });
  await stopped.promise;
  body.system.stop();
  await body.close();
  port.close();
}
