/**
 * `zooid restart`: starts the nodes of an ensemble again, one after the other, the leader last and after it has handed over. The next node is touched
 * when the one before serves again and has what the leader has. It stops at the first that does not come back.
 */
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import type { ServerId } from "../../protocol/ids.ts";
import { type Command, EXIT_FAILED, EXIT_MISUSED, EXIT_OK } from "../command.ts";
import type { Nodes, Status } from "./nodes.ts";
import { wholeNumber } from "../../server/config/values.ts";
import { NODE_FLAGS, nobodyText, withNodes } from "./settings.ts";
import { leaderIn, nodeOf, transferredText } from "./transfer.ts";

const NAME = "restart";
const TIMEOUT_S = 120;
const TIMEOUT_S_MAX = 86_400;
const LOOK_EVERY_MS = 100;

type Plan = {
  /** Undefined: all of them. */
  readonly only: ServerId | undefined;
  /** A command of the shell for each node, `{node}` standing for its number. Undefined: the node is asked to end, and its supervisor starts it. */
  readonly exec: string | undefined;
  readonly timeoutMs: number;
};

/** What is said to the operator, and ends the command. */
class RestartFailure extends Error {
  override readonly name = "RestartFailure";
}

async function restartAll(nodes: Nodes, plan: Plan): Promise<number> {
  const statuses = await nodes.statuses();
  if (statuses.length === 0) throw new RestartFailure(nobodyText(nodes));
  const order = orderOf(statuses, plan);
  for (const [index, node] of order.entries()) {
    try {
      await restartOne(nodes, node, plan);
    } catch (error) {
      const left = order.slice(index + 1);
      const rest = left.length === 0 ? "" : `; not touched: node ${left.join(", ")}`;
      throw error instanceof RestartFailure ? new RestartFailure(`${error.message}${rest}`) : error;
    }
  }
  console.log(`all of it is done: node ${order.join(", ")}`);
  return EXIT_OK;
}

/** The leader comes last: every other order would have leadership handed over to a node that is still to be restarted. */
function orderOf(statuses: readonly Status[], { only }: Plan): readonly ServerId[] {
  const leader = leaderIn(statuses)?.node;
  if (only !== undefined) return [only];
  const members = statuses[0]?.members ?? [];
  const followers = members.filter((member) => member !== leader);
  return leader === undefined ? followers : [...followers, leader];
}

async function restartOne(nodes: Nodes, node: ServerId, plan: Plan): Promise<void> {
  const before = await allServe(nodes, node);
  const beganMs = performance.now();
  if (before.role === "leading" && before.members.length > 1) await handOver(nodes, before);
  // Its challenge is used up when it has handed over.
  const status = (await nodes.status(node)) ?? before;
  console.log(`node ${node}  ${plan.exec === undefined ? "asked to start again" : "restarting"}`);
  if (plan.exec === undefined) await askFor(nodes, status);
  else await execute(plan.exec.replaceAll("{node}", String(node)));
  await untilBack(nodes, before, plan);
  const tookMs = Math.round(performance.now() - beganMs);
  console.log(`node ${node}  serves again, and has all that is committed, after ${tookMs} ms`);
}

/** One that is away already would be missed if another one were stopped. */
async function allServe(nodes: Nodes, next: ServerId): Promise<Status> {
  const statuses = await nodes.statuses();
  const members = statuses.flatMap((each) => each.members);
  const silent = [...new Set(members)].filter((id) => statuses.every(({ node }) => node !== id));
  const unready = statuses.flatMap(({ node, notReady }) =>
    notReady === undefined ? [] : [`node ${node} does not serve: ${notReady}`],
  );
  const problems = [...silent.map((id) => `node ${id} does not answer`), ...unready];
  if (problems.length > 0) {
    throw new RestartFailure(`node ${next} is not touched: ${problems.join("; ")}`);
  }
  const status = statuses.find(({ node }) => node === next);
  if (status === undefined) throw new RestartFailure(`there is no node ${next} in this ensemble`);
  return status;
}

async function handOver(nodes: Nodes, leader: Status): Promise<void> {
  const answer = await nodes.transferLeadership(leader, undefined);
  if (answer.kind === "transferred") {
    console.log(transferredText(answer));
    return;
  }
  const reason = answer.kind === "refused" ? answer.reason : "its answer is none";
  throw new RestartFailure(`node ${leader.node} did not hand over: ${reason}`);
}

async function askFor(nodes: Nodes, status: Status): Promise<void> {
  const answer = await nodes.restart(status);
  if (answer.kind === "restarting") return;
  const reason = answer.kind === "refused" ? answer.reason : "its answer is none";
  throw new RestartFailure(`node ${status.node} does not start again: ${reason}`);
}

function execute(command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      if (code === 0) resolve();
      else reject(new RestartFailure(`${command}: ${signal ?? `exit code ${code}`}`));
    });
  });
}

/** Resolves when another process serves under the number, and has applied what the leader had applied when it was first seen to. */
async function untilBack(nodes: Nodes, before: Status, { timeoutMs, exec }: Plan): Promise<void> {
  const { node } = before;
  const untilMs = performance.now() + timeoutMs;
  let problem = "it does not answer";
  // What the leader applies later is none of this: under writes that go on the node would always be a little behind.
  let target: number | undefined;
  while (performance.now() < untilMs) {
    const status = await nodes.status(node);
    const isThere = status !== undefined && status.nonce !== before.nonce;
    if (isThere) target ??= leaderIn(await nodes.statuses())?.applied;
    problem = problemOf(before, status, target);
    if (problem === "") return;
    await wait(LOOK_EVERY_MS);
  }
  const whose = exec === undefined ? "; what runs it has to start it again (exit code 75)" : "";
  throw new RestartFailure(
    `node ${node} has not come back within ${timeoutMs / 1000} s: ${problem}${whose}`,
  );
}

function problemOf(before: Status, status: Status | undefined, target: number | undefined): string {
  if (status === undefined) return "it does not answer";
  if (status.nonce === before.nonce) return "the process of before still runs";
  if (status.notReady !== undefined) return status.notReady;
  if (target === undefined) return "nobody leads";
  return status.applied >= target ? "" : "it has not applied all that its leader has";
}

async function run(flags: ReadonlyMap<string, string>): Promise<number> {
  const text = flags.get("node");
  const only = text === undefined ? undefined : nodeOf(text);
  const seconds = wholeNumber(1, TIMEOUT_S_MAX, "")(flags.get("timeout") ?? String(TIMEOUT_S));
  const problems: string[] = [];
  if (text !== undefined && only === undefined) {
    problems.push(`--node is the number of a node, not ${text}`);
  }
  if (flags.has("rolling") === (text !== undefined)) {
    problems.push("either --rolling for all nodes, or --node N for one");
  }
  if (seconds.kind === "refused") {
    problems.push(`--timeout is in seconds, and ${seconds.rule}`);
  }
  for (const problem of problems) console.error(`zooid ${NAME}: ${problem}`);
  if (seconds.kind === "refused" || problems.length > 0) return EXIT_MISUSED;
  const plan: Plan = { only, exec: flags.get("exec"), timeoutMs: seconds.value * 1000 };
  return withNodes(NAME, flags, async (nodes) => {
    try {
      return await restartAll(nodes, plan);
    } catch (error) {
      if (!(error instanceof RestartFailure)) throw error;
      console.error(`zooid ${NAME}: ${error.message}`);
      return EXIT_FAILED;
    }
  });
}

export const restart: Command = {
  description: `Starts the nodes of an ensemble again, one after the other, without an error for clients over NATS.

  zooid restart --rolling --config /etc/zooid/zoo.cfg
  zooid restart --rolling --exec 'ssh zk{node} systemctl restart zooid' --nats nats://10.0.0.1:4222 …
  zooid restart --node 2 --config /etc/zooid/zoo.cfg

The leader comes last, after it has handed over. A node is left alone while another one does not serve, and the next
one is touched when the one before serves again and has what the leader has. Without --exec each node ends with the
exit code 75, and what runs it has to start it again: systemd (Restart=always, or RestartForceExitStatus=75),
Kubernetes, zooid ensemble.`,
  flags: [
    { name: "rolling", placeholder: undefined, summary: "all nodes, one after the other" },
    { name: "node", placeholder: "N", summary: "this node only" },
    {
      name: "exec",
      placeholder: "COMMAND",
      summary: "restarts a node, {node} being its number (default: the node is asked to end)",
    },
    {
      name: "timeout",
      placeholder: "SECONDS",
      summary: `how long each node may take to serve again (default ${TIMEOUT_S})`,
    },
    ...NODE_FLAGS,
  ],
  run,
};
