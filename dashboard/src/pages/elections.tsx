/** The last elections and handovers of the ensemble: which phase took how long on which node, and why it began. */
import type { JSX } from "preact";
import type { Elections } from "../api.ts";
import {
  type Failover,
  failoversOf,
  type NodeView,
  type Phase,
  PHASES,
  tookMs,
} from "../format/elections.ts";
import { grouped } from "../format/numbers.ts";
import { Problem } from "../parts/problem.tsx";
import { usePolled } from "../polled.ts";

const NAMES: Readonly<Record<Phase, string>> = {
  silence: "Leader silent",
  vote: "Votes",
  promise: "Promises",
  commit: "First commit",
  follow: "Until it follows",
};
const TITLES: Readonly<Record<Failover["kind"], string>> = {
  start: "start",
  election: "election",
  handover: "handover",
};

export function ElectionsPage(): JSX.Element {
  const { answer, problem } = usePolled<Elections>("elections");
  return (
    // It has nothing to be focused in, and is scrolled by the keyboard.
    <main tabIndex={0}>
      <h1>Elections</h1>
      <Problem text={problem} />
      {answer === undefined ? <p>Asking the nodes …</p> : <Seen answer={answer} />}
    </main>
  );
}

function Seen({ answer }: { readonly answer: Elections }): JSX.Element {
  const { nodes } = answer;
  const away = nodes.filter(({ elections }) => elections === null).map(({ id }) => id);
  const seen = nodes.flatMap(({ id: node, elections }) =>
    elections === null ? [] : [{ node, elections }],
  );
  return (
    <>
      <p class="quiet">
        What each node remembers since it started, by its own clock. Its log has the same.
      </p>
      {away.length > 0 && <p class="problem">No answer of node {away.join(", ")}.</p>}
      {failoversOf(seen).map((failover) => (
        <FailoverCard key={`${failover.fromMs} ${failover.epoch}`} failover={failover} />
      ))}
    </>
  );
}

function FailoverCard({ failover }: { readonly failover: Failover }): JSX.Element {
  const { kind, epoch, leader, fromMs, toMs, nodes } = failover;
  const title = leader === undefined ? "no leader yet" : `node ${leader} leads`;
  const reasons = nodes.flatMap(({ node, reason }) =>
    reason === undefined ? [] : [`Node ${node}: ${reason}.`],
  );
  return (
    <section class="card election">
      <h2>
        {epoch === undefined ? "" : `Epoch ${epoch}: `}
        {title} <span class="role">{TITLES[kind]}</span>
      </h2>
      <p>
        {new Date(fromMs).toLocaleString()}
        {toMs === undefined ? ", under way" : `, ${whole(toMs - fromMs)} on all nodes`}
      </p>
      {reasons.map((reason) => (
        <p key={reason}>{reason}</p>
      ))}
      <table>
        <thead>
          <tr>
            <th scope="col">Node</th>
            {PHASES.map((phase) => (
              <th key={phase} scope="col">
                <span class={`key ${phase}`} /> {NAMES[phase]}
              </th>
            ))}
            <th scope="col">Together</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((view) => (
            <NodeRows key={view.node} view={view} failover={failover} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

type RowsProps = { readonly view: NodeView; readonly failover: Failover };

function NodeRows({ view, failover }: RowsProps): JSX.Element {
  const { node, role, fromMs, toMs } = view;
  return (
    <>
      <tr>
        <th scope="row">
          {node} {role ?? "has no leader yet"}
        </th>
        {PHASES.map((phase) => (
          <td key={phase}>{whole(tookMs(view, phase))}</td>
        ))}
        <td>{whole(toMs === undefined ? undefined : toMs - fromMs)}</td>
      </tr>
      <tr aria-hidden="true">
        <td colSpan={PHASES.length + 2}>
          <Bars view={view} failover={failover} />
        </td>
      </tr>
    </>
  );
}

/** Logs have whole milliseconds. */
function whole(ms: number | undefined): string {
  return ms === undefined ? grouped(ms) : `${grouped(ms)} ms`;
}

const WIDTH = 1000;

/** All nodes of a card have the same scale. */
function Bars({ view, failover: { fromMs, toMs, nodes } }: RowsProps): JSX.Element {
  const ends = nodes.flatMap(({ bars }) => bars.map((bar) => bar.toMs));
  const spanMs = Math.max(1, (toMs ?? Math.max(fromMs, ...ends)) - fromMs);
  const scale = WIDTH / spanMs;
  return (
    <svg class="bars" viewBox={`0 0 ${WIDTH} 10`} preserveAspectRatio="none">
      {view.bars.map((bar) => (
        <rect
          key={`${bar.phase} ${bar.fromMs}`}
          class={bar.phase}
          x={(bar.fromMs - fromMs) * scale}
          // What took no time is seen all the same.
          width={Math.max(2, (bar.toMs - bar.fromMs) * scale)}
          height={10}
        />
      ))}
    </svg>
  );
}
