/** What a client tells through diagnostic channels, and what OpenTelemetry's own packages make of it. */
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import test from "ava";
import { BehaviorSubject } from "rxjs";
import { instrument } from "../../../adapters/otel/otel.ts";
import { Client, NoNodeError, OperationTimeoutError } from "../../../client/connect.ts";
import type { RequestTrace, StateTrace, StreamTrace } from "../../../client/diagnostics.ts";
import { REAL_ENVIRONMENT } from "../../../client/session-driver.ts";
import type { Answer, SessionState } from "../../../client/session/messages.ts";
import type { StreamObserver, Wire, Wish } from "../../../client/wire.ts";
import { Code } from "../../../protocol/codes.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

const ZXID = 0x500000007 as Zxid;

/** A wire that answers as the test says. */
class SaidWire implements Wire {
  readonly clock = REAL_ENVIRONMENT;
  readonly features = { exactlyOnce: true, pages: true, wideOperations: true, everyChange: true };
  readonly state$ = new BehaviorSubject<SessionState>({ kind: "connecting" });
  readonly lastZxid = ZXID;
  readonly requestBytesMax = 1_000_000;
  readonly validUntilMs = Number.POSITIVE_INFINITY;
  observer: StreamObserver | undefined;
  answer: (request: NativeRequest) => Promise<Answer> = async () => ({
    zxid: ZXID,
    result: { kind: "done" },
  });

  get state(): SessionState {
    return this.state$.value;
  }

  request(request: NativeRequest): Promise<Answer> {
    return this.answer(request);
  }

  subscribe(_wish: Wish, observer: StreamObserver): () => void {
    this.observer = observer;
    return () => undefined;
  }

  async close(): Promise<void> {
    this.state$.next({ kind: "closed" });
  }
}

/** The channels are the process's, so the tests of them take turns. */
test.serial("each request is told once, with its answer, its refusal or its error", async (t) => {
  const wire = new SaidWire();
  const client = new Client(wire);
  const events: unknown[] = [];
  const channel = tracingChannel<unknown, RequestTrace & { error?: unknown }>("zooid:request");
  const handlers = {
    start: ({ operation, path }: RequestTrace): unknown => events.push([operation, path]),
    asyncEnd: ({ zxid, refusal, error }: RequestTrace & { error?: unknown }): unknown =>
      events.push([zxid, refusal, error]),
  };
  await client.delete("/a");
  channel.subscribe(handlers as never);
  await client.delete("/b");
  const late = new OperationTimeoutError(1);
  wire.answer = async () => ({ zxid: ZXID, result: { kind: "error", code: Code.noNode } });
  await t.throwsAsync(client.get("/c"), { instanceOf: NoNodeError });
  wire.answer = () => Promise.reject(late);
  await t.throwsAsync(client.whoAmI(), { is: late });
  channel.unsubscribe(handlers as never);
  await t.throwsAsync(client.whoAmI());
  t.deepEqual(events, [
    ...[
      ["delete", "/b"],
      [ZXID, undefined, undefined],
    ],
    ...[
      ["getData", "/c"],
      [ZXID, "noNode", undefined],
    ],
    ...[
      ["whoAmI", undefined],
      [undefined, undefined, late],
    ],
  ]);
});

test.serial("states of sessions and portions of streams are told", async (t) => {
  const told: unknown[] = [];
  const onState = (message: unknown): unknown => told.push((message as StateTrace).state.kind);
  const onStream = (message: unknown): unknown => told.push(message as StreamTrace);
  subscribe("zooid:state", onState);
  subscribe("zooid:stream", onStream);
  const wire = new SaidWire();
  const client = new Client(wire);
  client.changes("/a", { recursive: true, from: ZXID }).subscribe();
  wire.observer?.portion([], ZXID, () => undefined);
  wire.observer?.ended({ kind: "completed" });
  await client.close();
  unsubscribe("zooid:state", onState);
  unsubscribe("zooid:stream", onStream);
  wire.observer?.portion([], ZXID, () => undefined);
  const stream = { path: "/a", recursive: true, changes: 0 };
  t.deepEqual(told, [
    "connecting",
    { ...stream, through: ZXID, end: undefined },
    { ...stream, through: undefined, end: "completed" },
    "closed",
  ]);
});

test.serial(
  "OpenTelemetry has a span and a duration of each request, until it is told to stop",
  async (t) => {
    const spans = new InMemorySpanExporter();
    const tracerProvider = new TracerProvider({
      spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
    });
    const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter: points });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const wire = new SaidWire();
    const client = new Client(wire);
    const telemetry = instrument({ tracerProvider, meterProvider });
    await client.delete("/a");
    wire.answer = async () => ({ zxid: ZXID, result: { kind: "error", code: Code.noNode } });
    await t.throwsAsync(client.get("/b"));
    wire.state$.next({ kind: "expired" });
    telemetry[Symbol.dispose]();
    await t.throwsAsync(client.get("/c"));
    const told = spans.getFinishedSpans().map(({ name, attributes }) => [name, attributes]);
    const common = { "db.system.name": "zooid", "zooid.zxid": "0x500000007" };
    t.deepEqual(told, [
      ["zooid delete", { ...common, "db.operation.name": "delete", "zooid.path": "/a" }],
      [
        "zooid getData",
        {
          ...{ ...common, "db.operation.name": "getData", "zooid.path": "/b" },
          "error.type": "noNode",
        },
      ],
    ]);
    await meterProvider.forceFlush();
    const metrics = points.getMetrics()[0]?.scopeMetrics[0]?.metrics ?? [];
    const counted = metrics.flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [
        descriptor.name,
        attributes,
        typeof value === "object" ? value.count : value,
      ]),
    );
    const kind = { "db.system.name": "zooid" };
    t.deepEqual(counted, [
      ["db.client.operation.duration", { ...kind, "db.operation.name": "delete" }, 1],
      [
        "db.client.operation.duration",
        { ...kind, "db.operation.name": "getData", "error.type": "noNode" },
        1,
      ],
      ["zooid.client.session.states", { "zooid.state": "expired" }, 1],
    ]);
    await meterProvider.shutdown();
  },
);
