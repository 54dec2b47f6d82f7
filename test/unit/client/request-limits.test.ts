/** How long the requests of a native client may take, and what becomes of those that their callers no longer want. */
import test from "ava";
import type { SessionEffect, SessionMessage } from "../../../client/session/messages.ts";
import { receive, start } from "../../../client/session/session.ts";
import type { SessionId } from "../../../protocol/ids.ts";
import {
  decodeClientFrame,
  encodeGatewayFrame,
  type GatewayItem,
} from "../../../protocol/native.ts";
import type { NativeRequest } from "../../../protocol/native-packing.ts";
import type { Zxid } from "../../../protocol/zxid.ts";

const WRITE: NativeRequest = { kind: "write", operation: { kind: "sync", path: "/" } };
const READ: NativeRequest = { kind: "whoAmI" };
const ZXID = 7 as Zxid;
const OPENED: GatewayItem = {
  ...{ kind: "opened", session: 5 as SessionId, password: new Uint8Array(16) },
  ...{ timeoutMs: 60_000, server: 1, lane: 1, zxid: ZXID },
};

/** A session, called by hand. */
class Asking {
  nowMs = 0;
  readonly #state;
  #sequence = 0;

  constructor() {
    const options = { ensemble: "test", sessionTimeoutMs: 60_000, operationTimeoutMs: 1000 };
    this.#state = start({ options, up: true }, this.#context()).state;
  }

  give(message: SessionMessage): readonly SessionEffect[] {
    return receive(this.#state, message, this.#context());
  }

  hear(...items: GatewayItem[]): readonly SessionEffect[] {
    this.#sequence += 1;
    const bytes = encodeGatewayFrame({ sequence: this.#sequence, items });
    return this.give({ kind: "received", connection: this.#state.connection, bytes });
  }

  ask(id: number, request: NativeRequest, timeoutMs?: number): void {
    this.give({ kind: "request", id, request, timeoutMs });
  }

  /** The numbers of the requests that are sent now. */
  flush(): readonly number[] {
    return this.give({ kind: "flush" }).flatMap((effect) => {
      if (effect.kind !== "send") return [];
      const { items } = decodeClientFrame(effect.bytes);
      return items.flatMap((item) => (item.kind === "request" ? [item.id] : []));
    });
  }

  tick(nowMs: number): readonly (readonly [number, string, string])[] {
    this.nowMs = nowMs;
    return outcomes(this.give({ kind: "timer", timer: "tick" }));
  }

  #context(): { readonly nowMs: number; readonly random: () => number } {
    return { nowMs: this.nowMs, random: () => 0 };
  }
}

function outcomes(effects: readonly SessionEffect[]): [number, string, string][] {
  return effects.flatMap((effect): [number, string, string][] => {
    if (effect.kind !== "settle") return [];
    const { id, outcome } = effect;
    if (outcome.kind === "answered") return [[id, "answered", outcome.answer.result.kind]];
    return [[id, outcome.failure.kind, outcome.maybeApplied]];
  });
}

function opened(): Asking {
  const asking = new Asking();
  asking.hear(OPENED);
  return asking;
}

test("each request fails when its own time is over, whatever those before it have", (t) => {
  const asking = opened();
  asking.ask(1, WRITE, 5000);
  asking.ask(2, WRITE);
  asking.ask(3, READ, 100);
  t.deepEqual(asking.flush(), [1, 2, 3]);
  asking.ask(4, WRITE, 100);
  t.deepEqual(asking.tick(99), []);
  t.deepEqual(asking.tick(150), [
    [3, "timedOut", "no"],
    [4, "timedOut", "no"],
  ]);
  t.deepEqual(asking.tick(1050), [[2, "timedOut", "unknown"]]);
  t.deepEqual(asking.tick(4999), []);
  const result = { kind: "done" } as const;
  t.deepEqual(outcomes(asking.hear({ kind: "result", id: 1, zxid: ZXID, result })), [
    [1, "answered", "done"],
  ]);
  t.deepEqual(asking.tick(6000), []);
});

test("a request that is cancelled before it is sent is not done, one that was sent may be", (t) => {
  const asking = opened();
  asking.ask(1, WRITE);
  t.deepEqual(asking.flush(), [1]);
  asking.ask(2, WRITE);
  const cancelled = [1, 2, 2, 9].map((id) => outcomes(asking.give({ kind: "cancel", id })));
  t.deepEqual(cancelled, [[[1, "cancelled", "unknown"]], [[2, "cancelled", "no"]], [], []]);
  t.deepEqual(asking.flush(), []);
  const result = { kind: "done" } as const;
  t.deepEqual(outcomes(asking.hear({ kind: "result", id: 1, zxid: ZXID, result })), []);
});

test("what was sent and cancelled keeps its place at the gateway until it is answered", (t) => {
  const asking = opened();
  for (let id = 1; id <= 2048; id += 1) asking.ask(id, READ);
  t.is(asking.flush().length, 2048);
  for (let id = 1; id <= 2048; id += 1) asking.give({ kind: "cancel", id });
  asking.ask(3000, READ);
  t.deepEqual(asking.flush(), []);
  asking.hear({
    kind: "result",
    id: 1,
    zxid: ZXID,
    result: { kind: "identities", identities: [] },
  });
  t.deepEqual(asking.flush(), [3000]);
});
