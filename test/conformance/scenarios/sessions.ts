/** Sessions: what is granted, what survives a connection, and what goes with a session. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fourLetters } from "../../support/four-letters.ts";
import type { Scenario, Stage } from "../../support/conformance.ts";
import {
  connectFrame,
  type ConnectOptions,
  type ZkClient,
} from "../../support/zookeeper-client/client.ts";
import {
  create,
  exists,
  getData,
  Mode,
  ping,
  remove,
  setData,
  closeSession,
} from "../../support/zookeeper-client/operations.ts";

const { ephemeral } = Mode;

function describe(client: ZkClient): string {
  const { protocolVersion, timeoutMs, sessionId, password, readOnly } = client.grant;
  return [
    `protocol ${protocolVersion}`,
    `timeout ${timeoutMs}`,
    sessionId === 0n ? "no session" : "a session",
    `${password.length} bytes of password${password.every((byte) => byte === 0) ? ", all 0" : ""}`,
    `read-only ${readOnly ?? "left out"}`,
  ].join(", ");
}

/** How many bytes the server's answer to the handshake has, its length included. */
function answerLength(stage: Stage, options: Partial<ConnectOptions>): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = connect(stage.address);
    socket.once("error", reject);
    socket.once("data", (answer) => {
      socket.destroy();
      resolve(answer.length);
    });
    socket.write(connectFrame({ ...stage.address, ...options }));
  });
}

export const sessionScenarios: Readonly<Record<string, Scenario>> = {
  "the timeout asked for is granted within 2 to 20 ticks": async (stage) => {
    for (const timeoutMs of [1, 0, -1, 999, 1000, 1001, 3333, 10_000, 10_001, 2 ** 31 - 1]) {
      const client = await stage.connect(`asks for ${timeoutMs}`, { timeoutMs });
      stage.note(`${timeoutMs}: ${describe(client)}`);
      await client.close();
    }
  },

  "an old client's handshake of 44 bytes is answered": async (stage) => {
    const old = await stage.connect("old", { readOnly: "absent" });
    stage.note(describe(old));
    await stage.steps(old, create("/old-client"), getData("/old-client"), ping());
    stage.note(`answer of ${await answerLength(stage, { readOnly: "absent" })} bytes`);
    stage.note(`answer of ${await answerLength(stage, { readOnly: false })} bytes`);
    stage.note(`answer of ${await answerLength(stage, { readOnly: true })} bytes`);
  },

  "a session goes on over a new connection, its ephemerals with it": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, create("/kept", "x", { mode: ephemeral }));
    await a.cut();
    const again = await stage.reconnect("a again", a, { timeoutMs: 5_000 });
    stage.note(describe(again));
    stage.note(again.grant.sessionId === a.grant.sessionId ? "same id" : "another id");
    stage.note(
      again.grant.password.equals(a.grant.password) ? "same password" : "another password",
    );
    await stage.steps(again, getData("/kept"), create("/kept2", "", { mode: ephemeral }));
    await again.close();
    await stage.steps(b, exists("/kept"), exists("/kept2"));
  },

  "a wrong password, an unknown session and an ended one are answered with zeroes": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    await stage.steps(a, create("/guarded", "", { mode: ephemeral }));
    const wrong = await stage.reconnect("wrong password", a, { password: Buffer.alloc(16, 7) });
    await wrong.closed;
    stage.note(describe(wrong));
    const unknown = await stage.connect("unknown", {
      sessionId: 0x1234567890n,
      password: Buffer.alloc(16, 7),
    });
    await unknown.closed;
    stage.note(describe(unknown));
    // Apache ZooKeeper cuts the session's connection before it looks at the password: only the session is compared.
    await a.cut();
    await stage.steps(await stage.connect("b"), exists("/guarded"));
    const again = await stage.reconnect("a again", a);
    await again.close();
    const ended = await stage.reconnect("ended", a);
    await ended.closed;
    stage.note(describe(ended));
  },

  "closeSession deletes the ephemerals of the session, fires their watches and closes": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(
      a,
      create("/closing"),
      create("/closing/one", "", { mode: ephemeral }),
      create("/closing/two", "", { mode: ephemeral }),
      create("/closing/three"),
      create("/closing/three/four", "", { mode: ephemeral }),
      remove("/closing/two"),
    );
    await stage.steps(b, exists("/closing/one", true), exists("/closing/three/four", true));
    await a.request(closeSession());
    await a.closed;
    await b.events(2);
    await stage.steps(
      b,
      exists("/closing/one"),
      exists("/closing/three/four"),
      exists("/closing"),
      exists("/closing/three"),
    );
    // In which order the nodes of one session go is not defined.
    b.received.splice(
      2,
      2,
      ...b.received.slice(2, 4).sort((x, y) => pathOf(x).localeCompare(pathOf(y))),
    );
  },

  "requests sent with closeSession are answered before it": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    const e = create("/last", "", { mode: ephemeral });
    await a.pipeline([e, setData("/last", "x"), getData("/last"), closeSession()]);
    await a.closed;
    await stage.steps(b, exists("/last"));
  },

  "a session that is silent for its timeout ends, and its ephemerals with it": async (stage) => {
    const a = await stage.connect("a", { timeoutMs: 1_000 });
    const b = await stage.connect("b");
    await stage.steps(a, create("/silent", "", { mode: ephemeral }));
    await stage.steps(b, exists("/silent", true));
    await a.cut();
    await b.events(1);
    await stage.steps(b, exists("/silent"));
    const late = await stage.reconnect("late", a);
    await late.closed;
    stage.note(describe(late));
  },

  "a session whose client only reads goes on, at whichever node it reads": async (stage) => {
    const timeoutMs = 2500;
    const a = await stage.connect("a", { timeoutMs });
    await stage.steps(a, create("/reading", "", { mode: ephemeral }));
    const endMs = performance.now() + 1.6 * timeoutMs;
    while (performance.now() < endMs) {
      await a.request(getData("/reading"));
      await sleep(100);
    }
    a.received.length = 0;
    await stage.steps(await stage.connect("b"), exists("/reading"));
    await stage.steps(a, getData("/reading"));
  },

  "a session moved to a new connection takes no request from the old one": async (stage) => {
    const a = await stage.connect("a");
    const b = await stage.connect("b");
    await stage.steps(a, create("/moved", "0", { mode: ephemeral }));
    const again = await stage.reconnect("a again", a);
    await a.closed;
    await stage.steps(again, setData("/moved", "1"), getData("/moved"));
    await stage.steps(b, getData("/moved"));
  },

  "a client that has seen more than the server is not served": async (stage) => {
    const lastZxidSeen = 0x7fff_0000_0001n;
    const outcome = await stage.connect("ahead", { lastZxidSeen }).then(describe, () => "closed");
    stage.note(outcome);
  },

  "a client that claims to have seen more does not cost the session its connection": async (
    stage,
  ) => {
    const a = await stage.connect("a");
    await stage.steps(a, create("/undisturbed", "", { mode: ephemeral }));
    const lastZxidSeen = 0x7fff_0000_0001n;
    stage.note(await stage.reconnect("ahead", a, { lastZxidSeen }).then(describe, () => "closed"));
    await stage.steps(a, getData("/undisturbed"), ping());
  },

  "a client that has sent all it will is closed, and its session goes on": async (stage) => {
    const a = await stage.connect("a");
    await stage.steps(a, create("/half-closed", "", { mode: ephemeral }));
    a.socket.end();
    await a.closed;
    const again = await stage.reconnect("a again", a);
    await stage.steps(again, getData("/half-closed"));
  },

  "a session goes from connection to connection, and each before is closed": async (stage) => {
    let holder = await stage.connect("first");
    await stage.steps(holder, create("/handed-on", "", { mode: ephemeral }));
    for (const name of ["second", "third", "fourth"]) {
      const next = await stage.reconnect(name, holder);
      await holder.closed;
      await stage.steps(next, getData("/handed-on"));
      holder = next;
    }
    await holder.close();
    await stage.steps(await stage.connect("b"), exists("/handed-on"));
  },

  "the answer to ruok and the client protocol come from one port": async (stage) => {
    const a = await stage.connect("a");
    stage.note(await fourLetters(stage.address, "ruok"));
    await stage.steps(a, ping());
  },
};

function pathOf(entry: { readonly kind: string }): string {
  return "path" in entry ? String(entry.path) : "";
}
