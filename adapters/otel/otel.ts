/**
 * `zooid/otel`: spans and metrics of all clients in this process, through `@opentelemetry/api`:
 *
 *     using telemetry = instrument();
 *
 * It listens to the client's diagnostic channels, so a program without it pays nothing. Names are OpenTelemetry's for databases.
 */
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import {
  type Attributes,
  type Context,
  context,
  type MeterProvider,
  metrics,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type TracerProvider,
} from "@opentelemetry/api";
import type { RequestTrace, StateTrace, StreamTrace } from "../../client/diagnostics.ts";

/** Where the telemetry goes, and whether it tells paths. */
export type InstrumentOptions = {
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider;
  /** Default: the global one. */
  readonly meterProvider?: MeterProvider;
  /** False: spans do not tell the paths of znodes. Default true. Metrics never do. */
  readonly paths?: boolean;
};

/** A message of the tracing channel after its request was rejected. */
type Settled = RequestTrace & { readonly error?: unknown };

type Started = { readonly span: Span; readonly parent: Context; readonly startedMs: number };

const SCOPE = "zooid";

/**
 * Begins to make spans (`zooid getData`, of kind client) and metrics: `db.client.operation.duration` in seconds, by operation and error;
 * `zooid.client.session.states`, by state; `zooid.client.stream.changes`; `zooid.client.stream.ends`, by reason. The returned object's
 * `[Symbol.dispose]` ends that.
 */
export function instrument(options: InstrumentOptions = {}): Disposable {
  const stops = [watchRequests(options), watchSessions(options)];
  return {
    [Symbol.dispose]: () => {
      for (const stop of stops.splice(0)) stop();
    },
  };
}

function watchRequests(options: InstrumentOptions): () => void {
  const { tracerProvider = trace, meterProvider = metrics, paths = true } = options;
  const tracer = tracerProvider.getTracer(SCOPE);
  const duration = meterProvider.getMeter(SCOPE).createHistogram("db.client.operation.duration", {
    unit: "s",
    description: "How long the requests of zooid's clients take",
  });
  const under = new WeakMap<RequestTrace, Started>();
  const requests = tracingChannel<unknown, RequestTrace>("zooid:request");
  const handlers = {
    start: (message: RequestTrace): void => {
      const { operation, path } = message;
      const parent = context.active();
      const attributes: Attributes = { "db.system.name": "zooid", "db.operation.name": operation };
      if (paths && path !== undefined) attributes["zooid.path"] = path;
      const span = tracer.startSpan(
        `zooid ${operation}`,
        { kind: SpanKind.CLIENT, attributes },
        parent,
      );
      under.set(message, { span, parent, startedMs: performance.now() });
    },
    asyncEnd: (message: RequestTrace): void => {
      const started = under.get(message);
      if (started === undefined) return;
      under.delete(message);
      const { span, parent, startedMs } = started;
      const problem = endSpan(span, message);
      const seconds = (performance.now() - startedMs) / 1000;
      const kind: Attributes = {
        "db.system.name": "zooid",
        "db.operation.name": message.operation,
      };
      if (problem !== undefined) kind["error.type"] = problem;
      duration.record(seconds, kind, parent);
    },
    end: (): void => undefined,
    asyncStart: (): void => undefined,
    error: (): void => undefined,
  };
  requests.subscribe(handlers);
  return () => requests.unsubscribe(handlers);
}

/** Returns what the request ended with, if it was not done. */
function endSpan(span: Span, message: Settled): string | undefined {
  const { error, refusal, zxid } = message;
  const problem = refusal ?? (error === undefined ? undefined : codeOf(error));
  if (zxid !== undefined) span.setAttribute("zooid.zxid", `0x${zxid.toString(16)}`);
  if (problem !== undefined) {
    span.setAttribute("error.type", problem);
    span.setStatus({ code: SpanStatusCode.ERROR, message: problem });
  }
  if (error instanceof Error) span.recordException(error);
  span.end();
  return problem;
}

function codeOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error) return String(error.code);
  return "_OTHER";
}

function watchSessions({ meterProvider = metrics }: InstrumentOptions): () => void {
  const meter = meterProvider.getMeter(SCOPE);
  const states = meter.createCounter("zooid.client.session.states", {
    description: "How often sessions of clients have come into a state",
  });
  const changes = meter.createCounter("zooid.client.stream.changes", {
    description: "How many changes have come on streams",
  });
  const ends = meter.createCounter("zooid.client.stream.ends", {
    description: "How many streams have ended",
  });
  const onState = (message: unknown): void => {
    const { state } = message as StateTrace;
    states.add(1, { "zooid.state": state.kind });
  };
  const onStream = (message: unknown): void => {
    const { changes: count, end } = message as StreamTrace;
    if (end !== undefined) ends.add(1, { "zooid.end": end });
    else if (count > 0) changes.add(count);
  };
  subscribe("zooid:state", onState);
  subscribe("zooid:stream", onStream);
  return () => {
    unsubscribe("zooid:state", onState);
    unsubscribe("zooid:stream", onStream);
  };
}
