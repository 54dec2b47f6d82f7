/**
 * A stranger on the NATS server of three real nodes under load. On a server that lets everybody publish he says what is
 * malformed, out of range, or for actors that hear no peers; where the nodes have a key he also says what nodes have said.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as natsConnect, type NatsConnection } from "@nats-io/transport-node";
import test, { type ExecutionContext } from "ava";
import { connect, ZooidError } from "../../client/connect.ts";
import { SeededRandomness } from "../../runtime/testing/virtual-clock.ts";
import { Child } from "../support/child.ts";
import { fourLetters, untilAnswer } from "../support/four-letters.ts";
import { withBody } from "../support/frames.ts";
import { HostilePeers } from "../support/hostile-peers.ts";
import { type NatsServer, startNatsServer } from "../support/nats-server.ts";
import { until } from "../support/until.ts";
import { CHECKOUT, COMMAND_LINE } from "../support/zooid-command.ts";

const MEMBERS = [1, 2, 3];
const FORGED = 6_000;
const WRITERS = 8;
const NODE = /^node (\d+) {2}pid \d+ {2}127\.0\.0\.1:(\d+)$/;

type Ensemble = {
  readonly nats: NatsServer;
  readonly nodes: readonly Child[];
  readonly ports: number[];
};

async function ensemble(t: ExecutionContext, ...flags: readonly string[]): Promise<Ensemble> {
  const folder = await mkdtemp(join(tmpdir(), "zooid-forged-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const nats = await startNatsServer();
  t.teardown(nats.stop);
  const nodes = MEMBERS.map((id) => {
    const child = new Child({
      command: process.execPath,
      args: [
        COMMAND_LINE,
        ...["serve", "--id", `${id}`, "--members", MEMBERS.join(","), "--nats", nats.url],
        ...["--client-port", "0", "--client-port-address", "127.0.0.1"],
        ...["--data-dir", join(folder, `${id}`), ...flags],
      ],
      cwd: CHECKOUT,
    });
    t.teardown(() => child.stop());
    return child;
  });
  const lines = await Promise.all(nodes.map((child) => child.line(NODE)));
  const ports = lines.map((line) => Number(NODE.exec(line)?.[2]));
  await Promise.race(nodes.map((child) => child.line(/log-sync leading/)));
  return { nats, nodes, ports };
}

/** Hears everything and publishes what it likes. */
class Stranger {
  readonly heard: {
    readonly subject: string;
    readonly reply: string;
    readonly bytes: Uint8Array;
  }[] = [];
  readonly #connection: NatsConnection;
  readonly #hostile = new HostilePeers(randomOf(7));
  readonly #random = randomOf(8);

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    connection.subscribe("zooid.>", {
      callback: (_error, { subject, reply, data }) => {
        if (this.heard.length < 2_000 && /\.(?:peer|all|answer)\./.test(subject)) {
          this.heard.push({ subject, reply: reply ?? "", bytes: new Uint8Array(data) });
        }
      },
    });
  }

  /** In the frame of a node, as it was heard. */
  forge(): void {
    const { from, actor, bytes } = this.#hostile.next();
    const frame = this.heard.find(({ reply }) => reply === `f.${from}`);
    const framed =
      frame === undefined || this.#random() < 0.1 ? bytes : withBody(frame.bytes, bytes);
    if (actor === "") return;
    const subject = this.#random() < 0.5 ? `all.${actor}` : `peer.${1 + (from % 3)}.${actor}`;
    this.#connection.publish(`zooid.zooid.${subject}`, framed, { reply: `f.${from}` });
  }

  /** What a node said, to another one, to another actor, or with a byte changed. */
  repeat(): void {
    const said = this.heard[Math.floor(this.#random() * this.heard.length)];
    if (said === undefined) return;
    const bytes = new Uint8Array(said.bytes);
    const at = Math.floor(this.#random() * bytes.length);
    if (this.#random() < 0.5) bytes[at] = (bytes[at] ?? 0) ^ 1;
    const from = 1 + Math.floor(this.#random() * 3);
    const to = 1 + Math.floor(this.#random() * 3);
    const actor = said.subject.split(".").at(-1) ?? "";
    this.#connection.publish(`zooid.zooid.peer.${to}.${actor}`, bytes, { reply: `f.${from}` });
  }

  flush(): Promise<void> {
    return this.#connection.flush();
  }
}

function randomOf(seed: number): () => number {
  const randomness = new SeededRandomness(seed);
  return () => randomness.random();
}

/**
 * Without a key a stranger may claim that a node's disk is full. Then a write is refused for a while: it is neither lost nor done.
 */
function isHarmless(refused: Error): boolean {
  return refused instanceof ZooidError && refused.retryable && refused.maybeApplied === "no";
}

/** Writes until it is told to stop; returns how many were acknowledged, each a node of its own. */
async function load(of: {
  readonly url: string;
  readonly name: string;
  readonly isKeyed: boolean;
  readonly signal: AbortSignal;
}): Promise<string[]> {
  const { url, name, isKeyed, signal } = of;
  const client = await connect(url);
  const written: string[] = [];
  try {
    await client.create(`/${name}`);
    while (!signal.aborted) {
      const path = `/${name}/${written.length}`;
      const refused = await client.create(path, "x").then(
        () => undefined,
        (error: Error) => error,
      );
      if (refused === undefined) written.push(path);
      else if (isKeyed || !isHarmless(refused)) throw refused;
    }
  } finally {
    await client.close();
  }
  return written;
}

async function survives(t: ExecutionContext, of: Ensemble, isKeyed: boolean): Promise<void> {
  const { nats, nodes, ports } = of;
  const connection = await natsConnect({ servers: nats.url });
  t.teardown(() => connection.close());
  const stranger = new Stranger(connection);
  const stop = new AbortController();
  const loads = Array.from({ length: WRITERS }, (_, index) =>
    load({ url: nats.url, name: `w${index}`, isKeyed, signal: stop.signal }),
  );
  t.teardown(() => stop.abort());
  await stranger.flush();
  const hasHeard = async (): Promise<boolean> => {
    await stranger.flush();
    return stranger.heard.length >= 200;
  };
  await until(hasHeard, "the stranger has heard enough to forge");
  for (let sent = 0; sent < FORGED; sent += 1) {
    stranger.forge();
    if (isKeyed) stranger.repeat();
    if (sent % 100 === 99) await stranger.flush();
  }
  stop.abort();
  const written = (await Promise.all(loads)).flat();
  t.log(`${written.length} writes were acknowledged`);
  t.true(written.length > 0);
  for (const child of nodes) {
    t.is(child.process.exitCode, null, child.output());
    t.false(/ failed |stopNode/.test(child.output()), child.output());
    t.regex(child.output(), isKeyed ? /peerNotAuthenticated/ : /malformedPeerMessage/);
  }
  const reader = await connect(nats.url);
  await reader.sync();
  for (let index = 0; index < WRITERS; index += 1) {
    const own = written.filter((path) => path.startsWith(`/w${index}/`));
    const { children: names } = await reader.children(`/w${index}`);
    t.deepEqual(new Set(names), new Set(own.map((path) => path.split("/")[2])));
  }
  await reader.close();
  for (const port of ports) {
    // The count is told once a second.
    const many = /zk_zooid_peer_messages_refused\t\d{4,}/;
    await untilAnswer(
      { port },
      "mntr",
      (answer) => many.test(answer),
      () => nodes.some(({ ended }) => ended),
    );
    const figures = await fourLetters({ port }, "mntr");
    t.true(Number(/zk_zooid_epoch\t(\d+)/.exec(figures)?.[1]) < 200_000, figures);
  }
}

test.serial(
  "forged messages that are malformed, out of range or for other actors stop no node, and nothing is lost",
  async (t) => {
    await survives(t, await ensemble(t), false);
  },
);

test.serial(
  "nodes with a key also refuse what was said by nodes, to others or with a byte changed",
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "zooid-key-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "peers.key");
    await writeFile(file, `${randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
    await survives(t, await ensemble(t, "--peer-key-file", file), true);
  },
);
