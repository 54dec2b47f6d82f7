/** Runs every case against a target. The documentation of the client names what a target lacks. */
import test from "ava";
import type { Client, ConnectOptions } from "../../../client/connect.ts";
import type { Case, Need, Target } from "./case.ts";
import { KEEPING_CASES } from "./keeping.ts";
import { OLDER_CASES } from "./older.ts";
import { RECIPE_CASES } from "./recipes.ts";
import { SESSION_CASES } from "./sessions.ts";
import { STREAM_CASES } from "./streams.ts";
import { TOGETHER_CASES } from "./together.ts";
import { TURN_CASES } from "./turns.ts";
import { ZNODE_CASES } from "./znodes.ts";

export const CASES: readonly Case[] = [
  ...ZNODE_CASES,
  ...TOGETHER_CASES,
  ...SESSION_CASES,
  ...STREAM_CASES,
  ...RECIPE_CASES,
  ...TURN_CASES,
  ...KEEPING_CASES,
  ...OLDER_CASES,
];

/** Registers the cases as tests. `target` is set before the first of them runs. */
export function suite(of: { readonly name: string; readonly lacks: Target["lacks"] }): {
  connect: ((options?: ConnectOptions) => Promise<Client>) | undefined;
} {
  const target: { connect: Target["connect"] | undefined } = { connect: undefined };
  let number = 0;
  for (const { title, needs, without, run } of CASES) {
    const isThere = (need: Need): boolean => !of.lacks.includes(need);
    if ((needs && !isThere(needs)) || (without && isThere(without))) continue;
    number += 1;
    const base = `/suite-${number}`;
    test(`${of.name}: ${title}`, async (t) => {
      const connected = async (options?: ConnectOptions): Promise<Client> => {
        if (target.connect === undefined) throw new Error("the target has not been started");
        const client = await target.connect(options);
        t.teardown(() => client.close());
        return client;
      };
      const client = await connected();
      await client.create(base);
      await run({ t, client, other: () => connected(), connect: connected, base });
    });
  }
  return target;
}
