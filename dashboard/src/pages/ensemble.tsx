/** Every node of the ensemble, as it says it is. */
import type { JSX } from "preact";
import type { NodeState, Status } from "../api.ts";
import { bytes, duration, grouped, lagBehind, later, milliseconds } from "../format/numbers.ts";
import { type Fact, Facts } from "../parts/facts.tsx";
import { Problem } from "../parts/problem.tsx";
import { usePolled } from "../polled.ts";

export function EnsemblePage(): JSX.Element {
  const { answer: status, problem } = usePolled<Status>("status");
  return (
    <main>
      <h1>Ensemble {status?.ensemble}</h1>
      <Problem text={problem} />
      {status === undefined ? <p>Asking the nodes …</p> : <Nodes status={status} />}
    </main>
  );
}

function Nodes({ status }: { readonly status: Status }): JSX.Element {
  const { nodes } = status;
  const serving = nodes.filter(({ state }) => state?.serves === true).length;
  const latest = nodes.reduce<string | null>(
    (last, { state }) => later(last, state?.zxid ?? null),
    null,
  );
  const quorum = Math.floor(nodes.length / 2) + 1;
  const spare = serving - quorum;
  return (
    <>
      <p class={spare < 0 || serving < nodes.length ? "problem" : "quiet"}>
        {serving} of {nodes.length} nodes serve.{" "}
        {nodes.length > 1 && spare >= 0 && spareText(spare)}
        {spare < 0 && "That is no majority: nothing is written."}
      </p>
      <div class="cards">
        {nodes.map((node) => (
          <NodeCard key={node.id} node={node} latest={latest} />
        ))}
      </div>
    </>
  );
}

function spareText(spare: number): string {
  if (spare === 0) return "If one more fails, there is no majority left.";
  return `It goes on if ${spare} more of them ${spare === 1 ? "fails" : "fail"}.`;
}

type CardProps = { readonly node: Status["nodes"][number]; readonly latest: string | null };

function NodeCard({ node, latest }: CardProps): JSX.Element {
  const { id, host, client, isThis, state } = node;
  const role = state === null ? "does not answer" : (state.role ?? "no leader");
  const kind =
    state?.serves === true ? (state.role === "follower" ? "follower" : "leader") : "away";
  return (
    <section class="card" aria-labelledby={`node-${id}`}>
      <h2 id={`node-${id}`}>
        Node {id} <span class={`role ${kind}`}>{role}</span>
      </h2>
      <p class="quiet">
        {host ?? "address not configured"}
        {client !== null && ` · ${String(client)}`}
        {isThis && " · serves this page"}
      </p>
      {state !== null && state.serves && (
        <Facts facts={factsOf(state, lagBehind(latest, state.zxid))} />
      )}
      {state?.writesRefused === true && (
        <p class="problem">Writes are refused: no space on the disk.</p>
      )}
      {state?.growthRefused === true && state.writesRefused === false && (
        <p class="problem">Writes that grow the tree are refused: no memory left.</p>
      )}
    </section>
  );
}

function factsOf(state: NodeState, lag: number | undefined): readonly Fact[] {
  const { latencyMs, fsync } = state;
  const p99 = fsync.p99Us === null ? null : fsync.p99Us / 1000;
  const files = `${grouped(state.openFiles)} of ${grouped(state.openFilesMax)}`;
  return [
    ["Epoch", grouped(state.epoch)],
    ["Zxid", state.zxid ?? "–"],
    ["Behind", lag === undefined ? "another epoch" : lag === 0 ? "not" : grouped(lag)],
    ["Connections", grouped(state.connections)],
    ["Sessions of all", grouped(state.sessions)],
    ["Watches", grouped(state.watches)],
    ["Requests under way", grouped(state.outstanding)],
    ["Latency, mean / most", `${milliseconds(latencyMs.average)} / ${milliseconds(latencyMs.max)}`],
    ["Fsync, mean / p99", `${milliseconds(fsync.averageMs)} / ${milliseconds(p99)}`],
    ["Znodes", `${grouped(state.znodes)}, ${grouped(state.ephemerals)} ephemeral`],
    ["Tree in memory", `${bytes(state.treeBytes)} of ${bytes(state.treeBytesMax)}`],
    ["Data folder", bytes(state.dataFolderBytes)],
    ["Log folder", bytes(state.logFolderBytes)],
    ["Open files", files],
    ["Up for", duration(state.uptimeMs)],
    ["Version", state.version?.replace(/,.*$/, "") ?? "–"],
  ];
}
