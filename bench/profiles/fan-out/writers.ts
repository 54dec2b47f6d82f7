/** Writers of waves, for each protocol. Every writer has znodes of its own, so that no store merges its changes. */
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";
import { BenchError } from "../../failure.ts";
import { EtcdChannel } from "../../load/etcd/channel.ts";
import { putRequest } from "../../load/etcd/messages.ts";
import { BUCKET, keyOf } from "../../load/jetstream/client.ts";
import { Recorder } from "../../load/recorder.ts";
import { LoadConnection, type RequestFrame } from "../../load/zookeeper/connection.ts";
import { createFrame, setDataFrame } from "../../load/zookeeper/wire.ts";
import type { Target } from "../../targets/target.ts";
import type { WriteWave } from "./waves.ts";

export type WritersPlan = {
  readonly root: string;
  readonly writers: number;
  readonly waveSize: number;
  readonly valueBytes: number;
};

/** Makes the znodes too. The stack closes the connections. */
export async function writersOf(
  target: Target,
  plan: WritersPlan,
  stack: AsyncDisposableStack,
): Promise<readonly WriteWave[]> {
  const make = { zookeeper: zooKeeperWriter, etcd: etcdWriter, jetstream: jetStreamWriter };
  return await Promise.all(
    Array.from({ length: plan.writers }, (_, writer) =>
      make[target.protocol](target, pathsOf(plan, writer), { plan, stack, writer }),
    ),
  );
}

export function pathsOf({ root, waveSize }: WritersPlan, writer: number): readonly string[] {
  return Array.from({ length: waveSize }, (_, index) => `${root}/w${writer}-${index}`);
}

type Making = {
  readonly plan: WritersPlan;
  readonly stack: AsyncDisposableStack;
  readonly writer: number;
};

async function zooKeeperWriter(
  { addresses }: Target,
  paths: readonly string[],
  { plan, stack, writer }: Making,
): Promise<WriteWave> {
  const address = addresses[writer % addresses.length];
  if (address === undefined) throw new BenchError("a writer needs a server");
  const recorder = new Recorder();
  const connection = new LoadConnection(address, recorder, plan.waveSize);
  await connection.open();
  stack.defer(() => connection.close());
  const value = Buffer.alloc(plan.valueBytes, "v");
  await connection.request(createFrame(plan.root, Buffer.alloc(0)));
  recorder.errors.clear(); // Another writer may have made the root.
  const all = (make: (path: string) => Buffer): readonly RequestFrame[] =>
    paths.map((path) => ({ bytes: make(path), sequenceEnds: [], isRead: false }));
  const run = async (frames: readonly RequestFrame[]): Promise<void> => {
    await connection.run({ frames, count: frames.length });
    if (connection.lost !== undefined) throw connection.lost;
    const [error] = recorder.errors;
    if (error !== undefined) throw new BenchError(`a write failed with ${error[0]}`);
  };
  await run(all((path) => createFrame(path, value)));
  const sets = all((path) => setDataFrame(path, value));
  return () => run(sets);
}

async function etcdWriter(
  { addresses }: Target,
  paths: readonly string[],
  { plan, stack, writer }: Making,
): Promise<WriteWave> {
  const address = addresses[writer % addresses.length];
  if (address === undefined) throw new BenchError("a writer needs a server");
  const channel = new EtcdChannel(address);
  await channel.open();
  stack.defer(() => channel.close());
  const value = Buffer.alloc(plan.valueBytes, "v");
  const puts = paths.map((path) => putRequest(path, value));
  return async () => {
    await Promise.all(puts.map((put) => channel.ask("KV/Put", put)));
  };
}

async function jetStreamWriter(
  { addresses }: Target,
  paths: readonly string[],
  { plan, stack, writer }: Making,
): Promise<WriteWave> {
  const { host, port } = addresses[writer % addresses.length] ?? {};
  const connection = await connect({ servers: `${host}:${port}` });
  stack.defer(() => connection.close());
  const kv = await new Kvm(connection).open(BUCKET, { allow_direct: true });
  const value = Buffer.alloc(plan.valueBytes, "v");
  const keys = paths.map(keyOf);
  return async () => {
    await Promise.all(keys.map((key) => kv.put(key, value)));
  };
}
