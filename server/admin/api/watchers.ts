/** Who watches a znode, what one session watches, and its ephemerals. */
import type { WatchFacts } from "../../../actors/admin/messages.ts";
import { type WatchesAnswer, watchesText } from "../../../actors/admin/own-words.ts";
import { checkPath } from "../../../protocol/arguments.ts";
import { formatSession } from "../../../protocol/ids.ts";
import { argumentIn } from "../../../protocol/zookeeper/word-argument.ts";
import type { HttpReply } from "../http-server.ts";
import { type AllNodes, type Answered, answeredOf, answersOf } from "./all-nodes.ts";
import { errorReply, jsonReply } from "./json.ts";
import { answerIn } from "./other-nodes.ts";
import type { EnsembleSessions } from "./sessions.ts";

export type WatchersOptions = AllNodes & { readonly sessions: EnsembleSessions };

type Found = {
  readonly watches: readonly (WatchFacts & { readonly node: number })[];
  readonly nodes: Answered;
};

/** Throws BadArgumentsError. */
export async function watchers(
  options: WatchersOptions,
  query: URLSearchParams,
): Promise<HttpReply> {
  const path = query.get("path") ?? "/";
  checkPath(path);
  return jsonReply(200, { path, ...(await found(options, path)) });
}

export async function session(
  options: WatchersOptions,
  query: URLSearchParams,
): Promise<HttpReply> {
  const id = sessionIn(query);
  if (id === undefined) return NO_SESSION_NUMBER;
  const [row, { watches, nodes }] = await Promise.all([
    options.sessions.row(id),
    found(options, id),
  ]);
  if (row === undefined && watches.length === 0) {
    return errorReply(404, "ZOOID_NO_SESSION", `no node that answers knows the session ${id}`);
  }
  const seen = watches.map(({ path, watches: watched }) => ({ path, watches: watched }));
  return jsonReply(200, { session: row ?? null, watches: seen, nodes });
}

/** All nodes hold the same ephemerals, so this one is asked. */
export async function ephemerals(
  { facts }: WatchersOptions,
  query: URLSearchParams,
): Promise<HttpReply> {
  const id = sessionIn(query);
  if (id === undefined) return NO_SESSION_NUMBER;
  const after = query.get("after");
  if (after !== null) checkPath(after);
  const argument = after === null ? id : `${id} ${after}`;
  const [part] = (await facts.ask({ gather: "ephemerals", argument }))?.parts ?? [];
  if (part === undefined) {
    return errorReply(503, "ZOOID_NO_ANSWER", "the node did not answer in time");
  }
  const [group] = part.groups;
  if (group === undefined) {
    const why = `${after} is no ephemeral of the session any more: begin again without after`;
    return errorReply(409, "ZOOID_PAGE_LOST", why);
  }
  const next = part.omitted === 0 ? null : (group.entries.at(-1) ?? null);
  return jsonReply(200, { session: id, paths: group.entries, left: part.omitted, next });
}

const NO_SESSION_NUMBER: HttpReply = errorReply(
  400,
  "ZOOID_BAD_ARGUMENTS",
  "id is the number of a session, such as 0x100000001",
);

/** In the form in which it is told. Undefined: it is none. */
function sessionIn(query: URLSearchParams): string | undefined {
  const asked = argumentIn(query.get("id")?.toLowerCase() ?? "");
  if (asked?.kind !== "session" || asked.after !== undefined) return undefined;
  return formatSession(asked.session);
}

async function found(nodes: AllNodes, argument: string): Promise<Found> {
  const answers = await answersOf(nodes, {
    ...{ word: "wtch", gather: "wtch", argument, read: watchesIn },
    own: ({ metrics: { server, mode }, parts }) =>
      watchesIn(watchesText({ server, mode, nowMs: 0 }, parts)),
  });
  const watches = [...answers].flatMap(([node, { watches: all }]) =>
    all.map((watch) => ({ ...watch, node })),
  );
  return { watches, nodes: answeredOf(nodes.config, answers) };
}

/** Undefined: the node serves nobody, does not know the word, or what came is none of its answers. */
function watchesIn(text: string): WatchesAnswer | undefined {
  const answer = answerIn<WatchesAnswer>(text);
  if (answer === undefined) return undefined;
  const { node = 0, watches, omitted } = answer;
  if (!Array.isArray(watches) || typeof omitted !== "number") return undefined;
  return watches.every(isWatch) ? { node, watches, omitted } : undefined;
}

function isWatch(watch: Partial<WatchFacts> | null): boolean {
  if (watch === null || typeof watch !== "object") return false;
  const { session: of, address, path, watches } = watch;
  const isAddress = address === null || typeof address === "string";
  return [of, path, watches].every((text) => typeof text === "string") && isAddress;
}
