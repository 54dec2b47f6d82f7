/**
 * The commands of ZooKeeper's AdminServer under `/commands`: their names, what must be known before they are answered, and who may ask.
 * The fields of the answers are in `answers.ts`. Source: Commands of ZooKeeper 3.8.
 */
import type { Facts, Gathered } from "../../actors/admin/messages.ts";
import { NOT_SERVING } from "../../actors/admin/four-letter-words.ts";
import * as answers from "./answers.ts";
import type { HttpReply } from "./http-server.ts";
import { javaJson, type Json } from "./java-json.ts";
import type { NodeFacts } from "./node-facts.ts";

export type Command = {
  /** The first is the one that an answer names. */
  readonly names: readonly [string, ...string[]];
  /** `open`: it tells nothing of clients and of znodes, and changes nothing. `listing`: it does. `changing`: it sets something. */
  readonly access: "open" | "listing" | "changing";
  /** Without a leader it is refused. */
  readonly serving: boolean;
  /** For the documentation. */
  readonly summary: string;
  /** What is asked of other actors first. */
  readonly gather?: Gathered;
  readonly answer: (asked: answers.Asked) => answers.Answer | Promise<answers.Answer>;
};

function command(
  names: string,
  summary: string,
  answer: Command["answer"],
  more: Partial<Pick<Command, "access" | "serving" | "gather">> = {},
): Command {
  const [first = "", ...others] = names.split(" ");
  return { names: [first, ...others], access: "open", serving: true, summary, answer, ...more };
}

const ANY_TIME = { serving: false } as const;
const LISTING = { access: "listing" } as const;
const CHANGING = { access: "changing" } as const;
const nothing: Command["answer"] = () => ({ fields: {} });

export const COMMANDS: readonly Command[] = [
  command("configuration conf config", "ports, folders and times", answers.configuration, LISTING),
  command("connection_stat_reset crst", "sets back what `connections` counts", nothing, {
    ...CHANGING,
    gather: "crst",
  }),
  command(
    "connections cons",
    "each connection: address, session, last request, latencies",
    answers.connections,
    { ...LISTING, gather: "connections" },
  ),
  command("dirs", "the sizes of the folders of data and log", answers.dirs),
  command("dump", "sessions by when they end, ephemerals by session", answers.dump, {
    ...LISTING,
    gather: "dump",
  }),
  command("environment env envi", "the version, the host and the process", answers.environment, {
    ...ANY_TIME,
  }),
  command("get_trace_mask gtmk", "ZooKeeper's trace mask, which has no effect", answers.traceMask, {
    ...ANY_TIME,
  }),
  command("hash", "nothing: there are no digests of the tree", answers.hash),
  command(
    "initial_configuration icfg",
    "the settings that are in force, without passwords",
    answers.initialConfiguration,
    LISTING,
  ),
  command("is_read_only isro", "whether writes are refused", answers.isReadOnly),
  command("last_snapshot lsnp", "the zxid and the time of the last snapshot", answers.lastSnapshot),
  command("leader lead", "who leads; an error of a node alone", answers.leader),
  command("monitor mntr", "the metrics of `mntr`", answers.monitor, { gather: "stat" }),
  command("observer_connection_stat_reset orst", "nothing: there are no observers", nothing, {
    ...CHANGING,
  }),
  command("observers obsr", "nothing: there are none", answers.observers),
  command("ruok", "nothing; no error while the node serves", nothing),
  command("server_stats srvr", "packets, latencies, role, zxid, sizes", answers.serverStats, {
    gather: "stat",
  }),
  command("set_trace_mask stmk", "sets the trace mask to `?traceMask=N`", answers.setTraceMask, {
    ...CHANGING,
    ...ANY_TIME,
  }),
  command("stat_reset srst", "sets back packets and latencies", nothing, {
    ...CHANGING,
    gather: "srst",
  }),
  command("stats stat", "`server_stats`, and each connection in brief", answers.stats, {
    ...LISTING,
    gather: "connections",
  }),
  command("system_properties sysp", "what Node is", answers.systemProperties, {
    ...LISTING,
    ...ANY_TIME,
  }),
  command(
    "voting_view",
    "the members, with the addresses that clients are told",
    answers.votingView,
  ),
  command("watch_summary wchs", "how many connections watch how many paths", answers.watchSummary, {
    gather: "wchs",
  }),
  command("watches wchc", "watches by session", answers.watches, { ...LISTING, gather: "wchc" }),
  command("watches_by_path wchp", "watches by path", answers.watchesByPath, {
    ...LISTING,
    gather: "wchp",
  }),
  command("zabstate", "the role, the epoch and the zxid of a member", answers.zabState, ANY_TIME),
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((each) => each.names.map((name) => [name, each] as const)),
);

export function commandNamed(name: string): Command | undefined {
  return BY_NAME.get(name);
}

/** What ZooKeeper shows a browser. */
export function commandLinks(url: string): HttpReply {
  const links = COMMANDS.map(
    ({ names: [name] }) => `<a href="${url}/${name}">${name}</a>\n<br/>\n`,
  );
  return { status: 200, contentType: "text/html; charset=utf-8", body: links.join("") };
}

export type Running = {
  readonly facts: NodeFacts;
  readonly about: answers.About;
  readonly query: URLSearchParams;
};

export async function runCommand(
  { names: [name], serving, gather, answer }: Command,
  { facts: source, about, query }: Running,
): Promise<HttpReply> {
  const mask = name === "set_trace_mask" ? answers.maskOf(query) : undefined;
  // A node without a leader is not asked for what it would refuse to tell.
  const known = serving ? await source.ask() : undefined;
  if (serving && known === undefined) return noAnswer(name);
  if (known !== undefined && known.metrics.mode === undefined) {
    return refusal(200, name, NOT_SERVING.trim());
  }
  const facts = await source.ask({
    ...(gather && { gather }),
    ...(mask !== undefined && { mask }),
  });
  if (facts === undefined) return noAnswer(name);
  const { fields, error } = await answer({ facts, about, query });
  // In ZooKeeper's order, which is another one where the command itself says what is wrong.
  if (error !== undefined) return reply(200, { error, command: name });
  return reply(200, { ...fields, ...omitted(facts), command: name, error: null });
}

/** ZooKeeper answers with the status 200 whatever is wrong, and so is answered here what it has a text for. */
export function refusal(status: number, command: string, error: string): HttpReply {
  return reply(status, { command, error });
}

function noAnswer(command: string): HttpReply {
  return refusal(503, command, "the node did not answer in time");
}

/** An answer has about 1 MiB at most. */
function omitted({ parts }: Facts): { readonly [name: string]: Json } {
  const count = parts.reduce((total, part) => total + part.omitted, 0);
  return count === 0 ? {} : { zooid_omitted: count };
}

function reply(status: number, answer: Json): HttpReply {
  return { status, contentType: "application/json", body: javaJson(answer) };
}
