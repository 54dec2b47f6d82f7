/** Slow requests with where their time went: bars on one scale, and the same in numbers. */
import { useState } from "preact/hooks";
import type { JSX } from "preact";
import type { SlowRequests } from "../api.ts";
import { bytes, counted, grouped, milliseconds } from "../format/numbers.ts";
import {
  barsOf,
  longestOf,
  operationInWords,
  type SlowRequest,
  type Stage,
  STAGE_NAMES,
  stagesIn,
  tookIn,
} from "../format/slow.ts";
import { visible } from "../format/values.ts";
import { usePolled } from "../polled.ts";
import { PathLink } from "./path-link.tsx";
import { Problem } from "./problem.tsx";
import { SessionLink } from "./session-link.tsx";

const ROWS_MAX = 50;

/** `node`: the number of the one that is looked at. Undefined: all. */
export function SlowSection({ node }: { readonly node: number | undefined }): JSX.Element {
  const [isHeld, setIsHeld] = useState(false);
  const { answer, problem } = usePolled<SlowRequests>("slow-requests", isHeld);
  return (
    <section aria-labelledby="slow">
      <h2 id="slow">Slow requests</h2>
      <Problem text={problem} />
      <div class="actions">
        <button type="button" aria-pressed={isHeld} onClick={() => setIsHeld(!isHeld)}>
          {isHeld ? "Go on" : "Hold still"}
        </button>
      </div>
      {answer !== undefined && <Shown {...{ answer, node }} />}
    </section>
  );
}

type Row = { readonly node: number; readonly request: SlowRequest };
type ShownProps = { readonly answer: SlowRequests; readonly node: number | undefined };

function Shown({ answer, node }: ShownProps): JSX.Element {
  const nodes = answer.nodes.filter(({ id }) => node === undefined || id === node);
  const thresholds = [...new Set(nodes.flatMap(({ thresholdMs }) => thresholdMs ?? []))];
  const total = nodes.reduce((sum, each) => sum + (each.counted ?? 0), 0);
  const rows: Row[] = nodes
    .flatMap(({ id, requests }) => (requests ?? []).map((request) => ({ node: id, request })))
    .sort((a, b) => b.request.atMs - a.request.atMs);
  const shown = rows.slice(0, ROWS_MAX);
  return (
    <>
      <p class="quiet">{inWords(thresholds, total)}</p>
      {shown.length > 0 && <Table rows={shown} />}
      {rows.length > shown.length && (
        <p class="quiet">{counted(rows.length - shown.length, "earlier one")} not shown.</p>
      )}
    </>
  );
}

function inWords(thresholds: readonly number[], total: number): string {
  const times = thresholds.filter((ms) => ms > 0).map((ms) => milliseconds(ms));
  if (times.length === 0) return "Slow requests are not remembered: slowRequestMs is 0.";
  const took = `took ${times.join(" or ")} or longer since the nodes started`;
  return `${counted(total, "request")} ${took}. The last of them, and the slowest:`;
}

function Table({ rows }: { readonly rows: readonly Row[] }): JSX.Element {
  const stages = stagesIn(rows.map(({ request }) => request));
  const scaleMs = Math.max(...rows.map(({ request }) => request.tookMs));
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Slow requests">
      <table class="slow">
        <thead>
          <tr>
            <th scope="col">When, and what</th>
            <th scope="col">Took</th>
            {stages.map((stage) => (
              <th key={stage} scope="col">
                <span class={`key stage-${stage}`} /> {STAGE_NAMES[stage]}
              </th>
            ))}
            <th scope="col">By whom</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <RequestRows
              key={`${row.node} ${row.request.atMs} ${row.request.session} ${row.request.zxid ?? ""}`}
              {...{ row, stages, scaleMs }}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type RowsProps = {
  readonly row: Row;
  readonly stages: readonly Stage[];
  readonly scaleMs: number;
};

function RequestRows({ row, stages, scaleMs }: RowsProps): JSX.Element {
  const { node, request } = row;
  const { atMs, path, tookMs, session, address, bytes: size, answerBytes } = request;
  return (
    <>
      <tr>
        <th scope="row">
          {new Date(atMs).toLocaleString("sv")} {visible(operationInWords(request))}{" "}
          {path !== null && <PathLink path={path} />}
        </th>
        <td>{milliseconds(tookMs)}</td>
        {stages.map((stage) => (
          <td key={stage}>{milliseconds(tookIn(request, stage))}</td>
        ))}
        <td>
          <SessionLink id={session} /> at node {node}
          {address !== null && `, ${address}`}, {bytes(size)}
          {answerBytes > 0 && `, answer ${bytes(answerBytes)}`}
        </td>
      </tr>
      <tr>
        <td colSpan={stages.length + 3}>
          <Bars {...{ request, scaleMs }} />
          <Why request={request} />
        </td>
      </tr>
    </>
  );
}

/** In words, for whoever does not see the bars, and what the leader says of its part. */
function Why({ request }: { readonly request: SlowRequest }): JSX.Element {
  const { atLeader, isWrite } = request;
  const longest = longestOf(request);
  const unknown = isWrite
    ? "Its stages are not known."
    : "It waited for no write that is known: for its turn, its leader, or its client.";
  return (
    <p class="quiet why">
      {longest === undefined
        ? unknown
        : `Most of it: ${STAGE_NAMES[longest.stage].toLowerCase()}, ${milliseconds(longest.toMs - longest.fromMs)}.`}
      {atLeader !== null &&
        ` At the leader, node ${grouped(atLeader.node)}: gathered ${milliseconds(atLeader.queueMs)}, its log ${milliseconds(atLeader.logMs)}, quorum ${milliseconds(atLeader.quorumMs)}.`}
    </p>
  );
}

const WIDTH = 1000;
const HEIGHT = 8;

/** All requests have the same scale. */
function Bars({
  request,
  scaleMs,
}: Omit<RowsProps, "row" | "stages"> & Pick<Row, "request">): JSX.Element {
  const whole = (request.tookMs / Math.max(scaleMs, Number.MIN_VALUE)) * WIDTH;
  return (
    <svg
      class="waterfall"
      viewBox={`0 0 ${WIDTH} ${2 * HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect class="whole" width={whole} height={2 * HEIGHT} />
      {barsOf(request, scaleMs).map(({ stage, from, width, row }) => (
        <rect
          key={stage}
          class={`stage-${stage}`}
          x={from * WIDTH}
          y={row * HEIGHT}
          // What took no time is seen all the same.
          width={Math.max(2, width * WIDTH)}
          height={HEIGHT}
        >
          <title>
            {STAGE_NAMES[stage]}, {milliseconds(tookIn(request, stage))}
          </title>
        </rect>
      ))}
    </svg>
  );
}
