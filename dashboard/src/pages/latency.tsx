/** How long requests took in the last ten minutes: a heat map, colour by how many, and the same in numbers, by operation and by path. Below, slow requests. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { Latencies } from "../api.ts";
import { fieldsOf, figuresOf, type HeatCell, type HeatScale } from "../format/heat.ts";
import { counted, grouped, milliseconds } from "../format/numbers.ts";
import { offers } from "../access.ts";
import { PrefixTable } from "../parts/prefix-table.tsx";
import { Problem } from "../parts/problem.tsx";
import { SlowSection } from "../parts/slow-requests.tsx";
import { usePolled } from "../polled.ts";

const ALL = "all";

export function LatencyPage(): JSX.Element {
  const { answer, problem } = usePolled<Latencies>("latencies");
  return (
    // It is scrolled by the keyboard.
    <main tabIndex={0}>
      <h1>Latency</h1>
      <Problem text={problem} />
      {answer === undefined ? <p>Asking the nodes …</p> : <Shown answer={answer} />}
    </main>
  );
}

function Shown({ answer }: { readonly answer: Latencies }): JSX.Element {
  const [node, setNode] = useState(ALL);
  const [kind, setKind] = useState(ALL);
  const { nodes, kinds, columns, columnMs } = answer;
  const away = nodes.filter(({ cells }) => cells === null).map(({ id }) => id);
  const chosen = nodes.filter(({ id }) => node === ALL || String(id) === node);
  const cells = chosen.flatMap(({ cells: of }) => of ?? []);
  const prefixes = chosen.flatMap(({ prefixes: of }) => of ?? []);
  const number = kind === ALL ? undefined : kinds.indexOf(kind);
  return (
    <>
      <p class="quiet">
        The last {grouped((columns * columnMs) / 60_000)} minutes: from when a node takes a request
        in until its answer leaves.
      </p>
      {away.length > 0 && <p class="problem">No answer of node {away.join(", ")}.</p>}
      <p class="choices">
        <Choice
          label="Node"
          value={node}
          choose={setNode}
          options={nodes.map(({ id }) => String(id))}
        />
        <Choice label="Operation" value={kind} choose={setKind} options={kinds} />
      </p>
      <HeatMap scale={answer} cells={cells} kind={number} />
      <Figures scale={answer} cells={cells} />
      <PrefixTable prefixes={prefixes} upToMs={answer.upToMs} />
      {offers("slow-requests") && <SlowSection node={node === ALL ? undefined : Number(node)} />}
    </>
  );
}

type ChoiceProps = {
  readonly label: string;
  readonly value: string;
  readonly choose: (value: string) => void;
  readonly options: readonly string[];
};

function Choice({ label, value, choose, options }: ChoiceProps): JSX.Element {
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={(event) => choose(event.currentTarget.value)}>
        {[ALL, ...options].map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

const FIELD = { width: 14, height: 12 };
/** Left of the map, for the times. */
const MARGIN = 70;
/** Below it, for how long ago. */
const FOOT = 22;
const MINUTES = [10, 8, 6, 4, 2] as const;

type MapProps = {
  readonly scale: HeatScale;
  readonly cells: readonly HeatCell[];
  readonly kind: number | undefined;
};

/** The numbers below say the same to who does not see it. */
function HeatMap({ scale: { columns, columnMs, upToMs }, cells, kind }: MapProps): JSX.Element {
  const fields = fieldsOf(cells, kind);
  if (fields.length === 0) return <p>Nothing was asked for.</p>;
  const top = Math.max(...fields.map(({ bucket }) => bucket)) + 1;
  const height = top * FIELD.height;
  const width = MARGIN + columns * FIELD.width;
  const xOf = (column: number): number => MARGIN + (columns - 1 - column) * FIELD.width;
  return (
    <svg class="heat" viewBox={`0 0 ${width} ${height + FOOT}`} aria-hidden="true">
      {upToMs.slice(0, top).map((ms, bucket) =>
        bucket % 2 === 0 ? (
          <text key={ms} x={MARGIN - 6} y={height - bucket * FIELD.height - 2} text-anchor="end">
            {milliseconds(ms)}
          </text>
        ) : null,
      )}
      {fields.map(({ column, bucket, count, level }) => (
        <rect
          key={`${column} ${bucket}`}
          class={`level-${level}`}
          x={xOf(column)}
          y={height - (bucket + 1) * FIELD.height}
          width={FIELD.width - 1}
          height={FIELD.height - 1}
        >
          <title>
            {counted(count, "request")}, up to {milliseconds(upToMs[bucket])}
          </title>
        </rect>
      ))}
      {MINUTES.map((minutes) => (
        <text key={minutes} x={xOf((minutes * 60_000) / columnMs - 1)} y={height + 16}>
          {minutes} min ago
        </text>
      ))}
    </svg>
  );
}

type FiguresProps = { readonly scale: HeatScale; readonly cells: readonly HeatCell[] };

function Figures({ scale, cells }: FiguresProps): JSX.Element | null {
  const figures = figuresOf(cells, scale);
  if (figures.length === 0) return null;
  return (
    <table class="figures">
      <thead>
        <tr>
          <th scope="col">Operation</th>
          <th scope="col">Requests</th>
          <th scope="col">Half of them within</th>
          <th scope="col">99 of 100 within</th>
          <th scope="col">All within</th>
        </tr>
      </thead>
      <tbody>
        {figures.map(({ kind, count, p50Ms, p99Ms, mostMs }) => (
          <tr key={kind}>
            <th scope="row">{kind}</th>
            <td>{grouped(count)}</td>
            <td>{milliseconds(p50Ms)}</td>
            <td>{milliseconds(p99Ms)}</td>
            <td>{milliseconds(mostMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
