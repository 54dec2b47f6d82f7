/**
 * What a client does, told through Node's `diagnostics_channel`: to metrics, traces and logs, which need nothing of this package. Nothing
 * is made for a channel that nobody listens to.
 *
 * - `zooid:request`: a tracing channel, so `tracing:zooid:request:start`, `:asyncEnd`, `:error` and the others. Messages: `RequestTrace`.
 * - `zooid:state`: the session of a client is in another state. Messages: `StateTrace`.
 * - `zooid:stream`: changes have come on a stream, or it has ended. Messages: `StreamTrace`.
 */
import {
  type Channel,
  channel,
  type TracingChannel,
  tracingChannel,
} from "node:diagnostics_channel";
import { Code } from "../protocol/codes.ts";
import type { Recursive } from "../protocol/changes.ts";
import type { NativeRequest } from "../protocol/native-packing.ts";
import type { Zxid } from "../protocol/zxid.ts";
import { ForwardingWire } from "./forwarding-wire.ts";
import type { Answer, SessionState, StreamEnd } from "./session/messages.ts";
import type { CallOptions, StreamObserver, Wire, Wish } from "./wire.ts";

/** One request to the ensemble: an operation of a client may be several. The same object comes with each event of the request. */
export type RequestTrace = {
  /** `create`, `setData`, `multi`, `getData` and so on. */
  readonly operation: string;
  /** Undefined where the request is about no single znode. */
  readonly path: string | undefined;
  /** From the answer on. */
  zxid?: Zxid;
  /** The name of ZooKeeper's code of an answer that says why it was not done, such as `noNode`. `error` has what went wrong otherwise. */
  refusal?: string;
};

export type StateTrace = {
  /** Which client: the same object for as long as it lives. */
  readonly client: object;
  readonly state: SessionState;
};

export type StreamTrace = {
  readonly path: string;
  readonly recursive: Recursive;
  /** How many changes have come at once. */
  readonly changes: number;
  /** The changes up to this zxid have come. Undefined when the stream has ended. */
  readonly through: Zxid | undefined;
  /** Why it has ended; undefined while it goes on. */
  readonly end: StreamEnd["kind"] | undefined;
};

const REQUESTS: TracingChannel<unknown, RequestTrace> = tracingChannel("zooid:request");
const STATES: Channel = channel("zooid:state");
const STREAMS: Channel = channel("zooid:stream");

/** A wire that tells what goes over it. */
export class TracedWire extends ForwardingWire {
  constructor(wire: Wire) {
    super(wire);
    wire.state$.subscribe((state) => {
      if (STATES.hasSubscribers) STATES.publish({ client: this, state } satisfies StateTrace);
    });
  }

  override request(request: NativeRequest, options?: CallOptions): Promise<Answer> {
    if (!REQUESTS.hasSubscribers) return super.request(request, options);
    const trace = traceOf(request);
    return REQUESTS.tracePromise(async () => {
      const answer = await super.request(request, options);
      trace.zxid = answer.zxid;
      const refusal = refusalOf(answer);
      if (refusal !== undefined) trace.refusal = refusal;
      return answer;
    }, trace);
  }

  override subscribe(wish: Wish, observer: StreamObserver): () => void {
    const { path, recursive } = wish;
    const tell = (changes: number, through?: Zxid, end?: StreamEnd["kind"]): void => {
      if (!STREAMS.hasSubscribers) return;
      STREAMS.publish({ path, recursive, changes, through, end } satisfies StreamTrace);
    };
    return super.subscribe(wish, {
      portion: (changes, through, taken) => {
        tell(changes.length, through);
        observer.portion(changes, through, taken);
      },
      ended: (end) => {
        tell(0, undefined, end.kind);
        observer.ended(end);
      },
    });
  }
}

function traceOf(request: NativeRequest): RequestTrace {
  switch (request.kind) {
    case "read":
      return { operation: request.read.kind, path: request.read.path };
    case "write": {
      const { operation } = request;
      return { operation: operation.kind, path: "path" in operation ? operation.path : undefined };
    }
    default:
      return { operation: request.kind, path: undefined };
  }
}

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Code).map(([name, code]) => [code, name]),
);

function refusalOf({ result }: Answer): string | undefined {
  return result.kind === "error" ? (NAMES.get(result.code) ?? String(result.code)) : undefined;
}
