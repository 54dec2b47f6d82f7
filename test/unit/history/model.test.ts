/** The past of folders that a log actor has written of random operations, beside a plain model that remembers every state. */
import { deepStrictEqual, equal } from "node:assert/strict";
import test from "ava";
import fc from "fast-check";
import type { SessionId } from "../../../protocol/ids.ts";
import type { ClientOperation } from "../../../protocol/operations.ts";
import type { Zxid } from "../../../protocol/zxid.ts";
import type { PastReader } from "../../../server/history/answers.ts";
import type { Place } from "../../../server/history/changes.ts";
import { HistoryError } from "../../../server/history/errors.ts";
import { placeIn, type Question } from "../../../server/history/questions.ts";
import { clientOperation } from "../../support/operation-arbitraries.ts";
import { PastFolderMaker, readerOf, type Then } from "../../support/past-folder.ts";
import { client } from "../../support/replica.ts";

const SESSIONS = 3;

type Step =
  | "snapshot"
  | readonly { readonly session: number; readonly operation: ClientOperation }[];

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant("snapshot" as const) },
  {
    weight: 8,
    arbitrary: fc.array(
      fc.record({ session: fc.nat({ max: SESSIONS - 1 }), operation: clientOperation }),
      { minLength: 1, maxLength: 6 },
    ),
  },
);

function made(steps: readonly Step[], snapshotsKept: number): PastFolderMaker {
  const maker = new PastFolderMaker(snapshotsKept);
  const sessions = Array.from({ length: SESSIONS }, () => maker.session());
  const at = (index: number): SessionId => sessions[index] ?? (0 as SessionId);
  for (const each of steps) {
    if (each === "snapshot") maker.snapshot();
    else maker.commit(...each.map(({ session, operation }) => client(at(session), operation)));
  }
  return maker;
}

type Json = Readonly<Record<string, unknown>>;

async function ask(reader: PastReader, question: Question): Promise<Json> {
  return (await reader.answer({ question, hidesClosed: true })) as Json;
}

/** With numbers for zxids and sessions, as the model has them. */
function plainStat(stat: unknown): object {
  const { czxid, mzxid, pzxid, ephemeralOwner, ...others } = stat as Record<string, string>;
  const zxids = { czxid: Number(czxid), mzxid: Number(mzxid), pzxid: Number(pzxid) };
  return { ...others, ...zxids, ephemeralOwner: Number(ephemeralOwner ?? 0) };
}

/** All that is told of the tree at one zxid, children by pages of two. */
async function treeAt(reader: PastReader, zxid: Zxid): Promise<Record<string, object>> {
  const all: Record<string, object> = {};
  const visit = async (path: string): Promise<void> => {
    const { text, stat } = await ask(reader, { kind: "znode", zxid, path });
    const names: string[] = [];
    for (let after: string | null = ""; after !== null; ) {
      const page: Json = await ask(reader, { kind: "children", zxid, path, after, limit: 2 });
      names.push(...(page["children"] as readonly { readonly name: string }[]).map(nameOf));
      after = page["next"] as string | null;
    }
    all[path] = { data: text, stat: plainStat(stat), children: names };
    for (const name of names) await visit(path === "/" ? `/${name}` : `${path}/${name}`);
  };
  await visit("/");
  return all;
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

type Change = { readonly kind: string; readonly path: string; readonly zxid: Zxid };

/** The history of everything, page after page. */
async function historyOf(
  reader: PastReader,
  of: { readonly path: string; readonly recursive: boolean; readonly order: "newest" | "oldest" },
  limit: number,
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  for (let after: Place | undefined; ; ) {
    const page = await ask(reader, { kind: "history", ...of, limit, after });
    const some = page["changes"] as readonly { kind: string; path: string; zxid: string }[];
    changes.push(
      ...some.map(({ kind, path, zxid }) => ({ kind, path, zxid: Number(zxid) as Zxid })),
    );
    const next = page["next"] as string | null;
    if (next === null) return changes;
    after = placeIn(next);
  }
}

const steps = fc.array(step, { minLength: 30, maxLength: 40, size: "max" });
const asked = fc.record({
  steps,
  snapshotsKept: fc.constantFrom(2, 3, 100),
  at: fc.array(fc.nat(), { minLength: 4, maxLength: 4 }),
  limit: fc.integer({ min: 1, max: 9 }),
  path: fc.constantFrom("/", "/a", "/b/x"),
  recursive: fc.boolean(),
});

test("the tree at any zxid that is kept, its changes, and the difference of any two are the model's", async (t) => {
  let purged = 0;
  await fc.assert(
    fc.asyncProperty(asked, async ({ steps, snapshotsKept, at, limit, path, recursive }) => {
      const maker = made(steps, snapshotsKept);
      const reader = readerOf(maker.files);
      const span = await ask(reader, { kind: "span" });
      const [from, to] = [Number(span["from"]), Number(span["to"])];
      equal(to, maker.replica.lastZxid);
      if (from > 0) purged += 1;
      const kept = maker.thens.filter(({ zxid }) => zxid >= from);
      const thens = at.flatMap((index) => kept[index % kept.length] ?? []);
      for (const { zxid, znodes } of thens) deepStrictEqual(await treeAt(reader, zxid), znodes);

      const isIn = (each: string): boolean =>
        each === path || (recursive && (path === "/" || each.startsWith(`${path}/`)));
      const changes = maker.model.changes.filter(
        ({ zxid, path: each }) => zxid > from && isIn(each),
      );
      for (const order of ["newest", "oldest"] as const) {
        const expected = order === "oldest" ? changes : changes.toReversed();
        const found = await historyOf(reader, { path, recursive, order }, limit).catch(codeOf);
        const isNever = expected.length === 0 && kept.at(-1)?.znodes[path] === undefined;
        deepStrictEqual(found, isNever ? "ZOOID_NO_HISTORY" : expected);
      }

      const [one, other] = thens.toSorted((left, right) => left.zxid - right.zxid);
      if (one === undefined || other === undefined) return;
      const between = { from: one.zxid, to: other.zxid, path: "/" };
      const diff = await ask(reader, { kind: "diff", ...between, after: "", limit: 1000 });
      deepStrictEqual(plainDiff(diff["changes"]), modelDiff(one, other));
    }),
    { numRuns: 20 },
  );
  t.true(purged > 0, "in some runs the log was purged");
});

function codeOf(error: unknown): unknown {
  return error instanceof HistoryError ? error.code : error;
}

type Difference = readonly [path: string, kind: string, before: unknown, after: unknown];

function plainDiff(changes: unknown): readonly Difference[] {
  const listed = changes as readonly {
    readonly kind: string;
    readonly path: string;
    readonly before: { readonly stat: unknown } | null;
    readonly after: { readonly stat: unknown } | null;
  }[];
  return listed.map(({ kind, path, before, after }) => [
    path,
    kind,
    before && plainStat(before.stat),
    after && plainStat(after.stat),
  ]);
}

type Znode = { readonly stat: Record<"czxid" | "mzxid" | "aversion", number> };

function modelDiff(one: Then, other: Then): readonly Difference[] {
  const paths = [...new Set([...Object.keys(one.znodes), ...Object.keys(other.znodes)])].sort();
  return paths.flatMap((path): readonly Difference[] => {
    const [before, after] = [one.znodes[path], other.znodes[path]] as (Znode | undefined)[];
    if (before === undefined) return [[path, "created", null, after?.stat]];
    if (after === undefined) return [[path, "deleted", before.stat, null]];
    const fields = ["czxid", "mzxid", "aversion"] as const;
    const isSame = fields.every((field) => before.stat[field] === after.stat[field]);
    return isSame ? [] : [[path, "changed", before.stat, after.stat]];
  });
}
