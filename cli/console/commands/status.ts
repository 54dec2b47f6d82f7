/** `zooid status`: asks all servers of an ensemble how they are. */
import { EXIT_FAILED, EXIT_OK } from "../../command.ts";
import type { Context } from "../context.ts";
import { EXIT_UNREACHABLE, MisusedError } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { askServer, parseStatus, type ServerStatus } from "../../srvr.ts";
import { type Member, membersOf } from "../servers/members.ts";
import { type Column, tableLines } from "../table.ts";

/** How long a server may take; a whole command may take longer. */
const ANSWER_MS_MAX = 5_000;

const COLUMNS: readonly Column[] = [
  { name: "server", align: "right" },
  { name: "address", align: "left" },
  { name: "mode", align: "left" },
  { name: "zxid", align: "left" },
  { name: "clients", align: "right" },
  { name: "waiting", align: "right" },
  { name: "latency ms", align: "right" },
  { name: "znodes", align: "right" },
  { name: "version", align: "left" },
];

export async function run(_given: Given, context: Context): Promise<number> {
  const { output, target, signal } = context;
  if (target === undefined) throw new Error("status has a target");
  const timeoutMs = target.options.operationTimeoutMs ?? ANSWER_MS_MAX;
  const members = await membersOf(target, { timeoutMs, signal });
  if (members.length === 0) {
    throw new MisusedError(
      "the ensemble does not say where its servers listen (server.N lines of their configuration): name them with --server zk://host:port,host:port",
    );
  }
  const all = await Promise.all(
    members.map(async (member) => {
      const answer = await askServer(member.place, { timeoutMs, signal });
      const status =
        answer.kind === "answered" ? parseStatus(answer.text) : unknownBecause(answer.because);
      return { member, status };
    }),
  );
  if (output.isJson) {
    for (const { member, status } of all) {
      await output.json({ id: member.id ?? null, address: addressOf(member), ...status });
    }
  } else {
    const rows = all.map(({ member, status }) =>
      rowOf(member, status).map((cell) => output.shown(cell)),
    );
    await output.lines(await tableLines(COLUMNS, rows));
  }
  return verdictOf(
    all.map(({ status }) => status),
    context,
  );
}

function unknownBecause(because: string): ServerStatus {
  return { ...parseStatus(""), because };
}

function rowOf(member: Member, status: ServerStatus): readonly string[] {
  const { mode, because, zxid, clients, outstanding, latencyMs, znodes, version } = status;
  const shown = (value: string | number | undefined): string => String(value ?? "-");
  return [
    shown(member.id),
    addressOf(member),
    mode ?? `down: ${because ?? "unknown"}`,
    ...[zxid, clients, outstanding, latencyMs, znodes, version].map(shown),
  ];
}

function addressOf({ place: { host, port } }: Member): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** 0 if all serve and one of them leads. */
function verdictOf(all: readonly ServerStatus[], { output }: Context): number {
  const serving = all.filter(({ mode }) => mode !== undefined);
  const leaders = serving.filter(({ mode }) => mode === "leader" || mode === "standalone");
  if (serving.length === all.length && leaders.length > 0) return EXIT_OK;
  if (leaders.length === 0) output.note("no server that was asked leads");
  else output.note(`${serving.length} of ${all.length} servers serve`);
  return serving.length === 0 ? EXIT_UNREACHABLE : EXIT_FAILED;
}
