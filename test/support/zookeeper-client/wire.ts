/** A client's session over ZooKeeper's protocol under virtual time, at the servers of `fake-ensemble.ts`. */
import type { Answer, SessionState } from "../../../client/session/messages.ts";
import type { Host } from "../../../client/zookeeper/session/messages.ts";
import type { NativeMember, NativeRequest, NativeWrite } from "../../../protocol/native-packing.ts";
import { ZooKeeperWire } from "../../../client/zookeeper/wire.ts";
import { OPEN_ACL } from "../../../protocol/acl.ts";
import type { ZooidError } from "../../../protocol/errors.ts";
import type { CreateMode } from "../../../protocol/operations.ts";
import { VirtualClock } from "../../../runtime/testing/virtual-clock.ts";
import { FakeChannel } from "./fake-channel.ts";
import { FakeEnsemble } from "./fake-ensemble.ts";

/** Reads the znode that is there from the start. */
export const GET: NativeRequest = {
  kind: "read",
  read: { kind: "getData", path: "/a", watch: false },
};

export type Started = {
  readonly clock: VirtualClock;
  readonly ensemble: FakeEnsemble;
  readonly channel: FakeChannel;
  readonly wire: ZooKeeperWire;
  readonly states: SessionState[];
  /** Lets time pass, and callers run. */
  readonly pass: (ms?: number) => Promise<void>;
};

type Setting = {
  readonly hosts?: readonly Host[];
  readonly chroot?: string;
  readonly proofs?: readonly Uint8Array[];
  readonly streamCredits?: number;
  readonly prepare?: (channel: FakeChannel, ensemble: FakeEnsemble) => void;
};

export async function started(setting: Setting = {}): Promise<Started> {
  const { hosts = [{ host: "one", port: 1 }], chroot = "", proofs = [] } = setting;
  const clock = new VirtualClock();
  const ensemble = new FakeEnsemble();
  const channel = new FakeChannel(ensemble, (run) => clock.soon(run));
  ensemble.write(created("/a", "x"));
  setting.prepare?.(channel, ensemble);
  const environment = {
    nowMs: () => clock.nowMs(),
    random: () => 0.5,
    after: (delayMs: number, run: () => void) => clock.after(delayMs, run),
    soon: (run: () => void) => clock.soon(run),
  };
  const session = {
    ...{ hosts, chroot, proofs, sasl: false },
    ...{ sessionTimeoutMs: 6_000, operationTimeoutMs: 30_000 },
    ...(setting.streamCredits === undefined ? {} : { streamCredits: setting.streamCredits }),
  };
  const wire = new ZooKeeperWire(channel, { session }, environment);
  const states: SessionState[] = [];
  wire.state$.subscribe((state) => states.push(state));
  const pass = async (ms = 1): Promise<void> => {
    clock.advance(ms);
    // Whoever waits for a promise goes on, and what they ask for goes out.
    for (let round = 0; round < 5; round += 1) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      clock.advance(0);
    }
  };
  await pass();
  return { clock, ensemble, channel, wire, states, pass };
}

type Create = Extract<NativeMember, { readonly kind: "create" }>;

export function created(path: string, data = "", mode: Partial<CreateMode> = {}): Create {
  return {
    ...{ kind: "create", path, data: Buffer.from(data), acl: OPEN_ACL },
    mode: { ephemeral: false, sequential: false, ...mode },
  };
}

export function write(operation: NativeWrite): NativeRequest {
  return { kind: "write", operation };
}

/** How a request ended. */
export function ended(answer: Promise<Answer>): Promise<Answer["result"] | ZooidError> {
  return answer.then(
    ({ result }) => result,
    (error: unknown) => error as ZooidError,
  );
}
