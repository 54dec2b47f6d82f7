/** The ensemble at the moment that is looked at: nodes in a ring, what is wrong between them, and messages on their way. */
import type { JSX } from "preact";
import type { NodeMoment, PathFault } from "../../../test/sim/recording/recording.ts";
import type { Flight } from "../model/flights.ts";
import { faultsAt, lookOf, nodesAt, roleText } from "../model/moments.ts";
import { NODE_RADIUS, placeOf, pointOn, wayOf } from "../model/ring.ts";
import { milliseconds } from "./format.ts";
import { atMs, messageKinds, type Shown } from "./state.ts";
import { MessageSymbol } from "./symbols.tsx";

export function Stage({ result }: { readonly result: Shown }): JSX.Element {
  const { recording, flights } = result;
  const at = atMs.value;
  const nodes = nodesAt(recording.moments, at);
  const faults = faultsAt(recording.paths, at);
  const under = flights.at(at, messageKinds.value);
  const onTheirWay = under.flights.length + under.more;
  const label = [
    `At ${milliseconds(at)}`,
    ...nodes.map((node, index) => `node ${index + 1} ${roleText(node)}`),
    `${onTheirWay} messages on their way`,
    `${faults.length} paths with faults`,
  ].join("; ");
  return (
    <svg class="stage" viewBox="-236 -232 472 464" role="img" aria-label={label}>
      <defs>
        <pattern id="hatch" width="8" height="8" patternUnits="userSpaceOnUse">
          <path class="hatch" d="M-2,2L2,-2M0,8L8,0M6,10L10,6" />
        </pattern>
      </defs>
      {faults.map((fault) => (
        <Fault key={`${fault.from} ${fault.to}`} fault={fault} nodes={nodes.length} />
      ))}
      {nodes.map((node, index) => (
        <Node key={index} id={index + 1} node={node} nodes={nodes.length} />
      ))}
      {under.flights.map((flight, index) => (
        <Message key={index} flight={flight} nodes={nodes.length} />
      ))}
      {under.more > 0 && (
        <text class="more" x="-228" y="222">
          and {under.more} further messages
        </text>
      )}
    </svg>
  );
}

function Node(props: {
  readonly id: number;
  readonly node: NodeMoment;
  readonly nodes: number;
}): JSX.Element {
  const { id, node, nodes } = props;
  const { x, y } = placeOf(id, nodes);
  const look = lookOf(node);
  return (
    <g class={`node ${look}`} transform={`translate(${x},${y})`}>
      <circle r={NODE_RADIUS} />
      {look === "down" && <circle class="hatched" r={NODE_RADIUS} />}
      {look === "leader" && <circle class="inner" r={NODE_RADIUS - 5} />}
      <text class="name" y="-21">
        {id}
      </text>
      <text y="-5">{shortRole(node)}</text>
      {node.epoch > 0 && <text y="9">epoch {node.epoch}</text>}
      {node.epoch > 0 && <text y="22">{node.logEnd}</text>}
      {node.disk !== "" && (
        <text class="remark" y={NODE_RADIUS + 14}>
          disk: {node.disk}
        </text>
      )}
    </g>
  );
}

/** As much as there is space for within a node; the table has the rest. */
function shortRole(node: NodeMoment): string {
  if (node.stopped) return "stands still";
  switch (node.role) {
    case "leading":
      return node.established ? "leads" : "begins to lead";
    case "following":
      return `follows ${node.leader}`;
    case "awaiting":
      return `awaits ${node.leader}`;
    case "looking":
      return "looks";
    case "starting":
      return "starts";
    default:
      return node.role;
  }
}

function Fault(props: { readonly fault: PathFault; readonly nodes: number }): JSX.Element {
  const { from, to, state } = props.fault;
  const way = wayOf(from, to, props.nodes);
  const [start, end] = way;
  // Nearer to who does not receive, so that the two ways between nodes are told apart.
  const sign = pointOn(way, 0.62);
  return (
    <g class={`fault ${state}`}>
      <line x1={start.x} y1={start.y} x2={end.x} y2={end.y} />
      <text x={sign.x} y={sign.y + 4}>
        {SIGNS[state]}
      </text>
    </g>
  );
}

const SIGNS: Readonly<Record<PathFault["state"], string>> = { cut: "✕", clogged: "‖", slow: "~" };

function Message(props: { readonly flight: Flight; readonly nodes: number }): JSX.Element {
  const { from, to, kind, lost, done, text } = props.flight;
  const { x, y } = pointOn(wayOf(from, to, props.nodes), done);
  return (
    <g transform={`translate(${x.toFixed(1)},${y.toFixed(1)})`}>
      <title>
        {from} to {to}: {text}
      </title>
      <MessageSymbol kind={kind} lost={lost} />
    </g>
  );
}
