/** Everything a lane's tree knows. `nodes`, `sessions`, `submitters` and `lastApplied` are replicated: equal on every node. */
import type { ServerId, SessionId } from "../../protocol/ids.ts";
import { ZXID_NONE, type Zxid } from "../../protocol/zxid.ts";
import { createNodes, type Nodes } from "./nodes.ts";
import { createRing, type ChangeRing } from "./ring.ts";
import type { Sessions } from "./sessions.ts";
import { createStreams, type Streams } from "./streams.ts";
import { createSubmitters, type Submitters } from "./submitters.ts";
import { createWatches, type Watches } from "./watches.ts";

export type TreeState = {
  readonly server: ServerId;
  readonly lane: number;
  lastApplied: Zxid;
  readonly nodes: Nodes;
  readonly sessions: Sessions;
  readonly submitters: Submitters;
  readonly ring: ChangeRing;
  readonly watches: Watches;
  readonly streams: Streams;
  /** Sessions changed by the `committed` message that is being applied. */
  readonly sessionsTouched: Set<SessionId>;
};

export function createState(server: ServerId, lane: number, ringBytesMax: number): TreeState {
  return {
    server,
    lane,
    lastApplied: ZXID_NONE,
    nodes: createNodes(),
    sessions: new Map(),
    submitters: createSubmitters(),
    ring: createRing(ringBytesMax),
    watches: createWatches(),
    streams: createStreams(),
    sessionsTouched: new Set(),
  };
}
