/** Followers of streams over ZooKeeper's protocol, at the servers of `fake-ensemble.ts`. */
import type { StreamEnd } from "../../../client/session/messages.ts";
import type { ZnodeOperation } from "../../../protocol/operations.ts";
import type { Change } from "../../../protocol/reads.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { Started } from "./wire.ts";

export type Followed = {
  readonly told: string[];
  readonly portions: { readonly changes: readonly Change[]; readonly through: Zxid }[];
  readonly ends: StreamEnd[];
  readonly taken: (() => void)[];
  readonly close: () => void;
};

export function follow(
  { wire, ensemble }: Started,
  wish: {
    readonly path?: string;
    readonly recursive?: boolean;
    readonly after?: Zxid | undefined;
  } = {},
): Followed {
  const { path = "/a", recursive = true, after = ensemble.zxid } = wish;
  const told: string[] = [];
  const portions: Followed["portions"][number][] = [];
  const ends: StreamEnd[] = [];
  const taken: (() => void)[] = [];
  const close = wire.subscribe(
    { path, recursive, after: "after" in wish ? wish.after : after },
    {
      portion: (changes, through, done) => {
        portions.push({ changes, through });
        told.push(...changes.map(({ kind, path: of }) => `${kind} ${of}`));
        taken.push(done);
      },
      ended: (end) => ends.push(end),
    },
  );
  return { told, portions, ends, taken, close };
}

export const set = (path: string, data = "y"): ZnodeOperation => {
  return { kind: "setData", path, data: Buffer.from(data), version: -1 };
};
export const remove = (path: string): ZnodeOperation => ({ kind: "delete", path, version: -1 });

export function reads({ channel }: Started): readonly string[] {
  return channel.asked.flatMap(({ request }) =>
    request.kind === "read" && "path" in request.read
      ? [`${request.read.kind} ${request.read.path}`]
      : [],
  );
}

/** Loses the connection with what is under way, and finds another one after `meanwhile`. */
export async function reconnect({ channel, pass }: Started, meanwhile: () => void): Promise<void> {
  channel.listens = () => false;
  channel.cut();
  meanwhile();
  await pass(300);
  channel.listens = () => true;
  channel.automatic = true;
  await pass(2_000);
}
