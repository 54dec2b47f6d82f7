/** What stands beside the picture, as text: the legend, which is the filter too, the events around the moment, and the nodes. */
import type { Signal } from "@preact/signals";
import type { JSX } from "preact";
import {
  EVENT_KINDS,
  type EventKind,
  MESSAGE_KINDS,
} from "../../../test/sim/recording/recording.ts";
import { nodesAt, roleText } from "../model/moments.ts";
import { milliseconds } from "./format.ts";
import {
  atMs,
  eventKinds,
  goTo,
  listsMessages,
  messageKinds,
  type Shown,
  timeline,
} from "./state.ts";
import { KIND_NAMES, LegendSymbol } from "./symbols.tsx";

const BEFORE = 5;
const AFTER = 4;

const EVENT_NAMES: Readonly<Record<EventKind, string>> = {
  fault: "faults",
  node: "nodes",
  client: "clients",
  violation: "violation",
};

export function Legend(): JSX.Element {
  return (
    <div class="legend">
      <fieldset>
        <legend>Messages</legend>
        {MESSAGE_KINDS.map((kind) => (
          <label key={kind}>
            <Box set={messageKinds} value={kind} />
            <LegendSymbol kind={kind} /> {KIND_NAMES[kind]}
          </label>
        ))}
        <span>
          <LegendSymbol kind="replication" lost /> lost
        </span>
      </fieldset>
      <fieldset>
        <legend>Events</legend>
        {EVENT_KINDS.map((kind) => (
          <label key={kind}>
            <Box set={eventKinds} value={kind} /> {EVENT_NAMES[kind]}
          </label>
        ))}
        <label>
          <input
            type="checkbox"
            checked={listsMessages.value}
            onChange={(event) => {
              listsMessages.value = event.currentTarget.checked;
            }}
          />{" "}
          messages too
        </label>
      </fieldset>
      <p class="hint">
        Double edge: leads. Plain: follows. Dashed: candidate. Dotted: looks for a leader. Hatched:
        down. Ways: ✕ cut, ‖ clogged, ~ slow.
      </p>
    </div>
  );
}

function Box<Value>(props: {
  readonly set: Signal<ReadonlySet<Value>>;
  readonly value: Value;
}): JSX.Element {
  const { set, value } = props;
  return (
    <input
      type="checkbox"
      checked={set.value.has(value)}
      onChange={(event) => {
        const others = [...set.value].filter((each) => each !== value);
        set.value = new Set(event.currentTarget.checked ? [...others, value] : others);
      }}
    />
  );
}

export function Events(): JSX.Element {
  const around = timeline.value?.around(atMs.value, { before: BEFORE, after: AFTER });
  const { entries = [], past = 0 } = around ?? {};
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events around this moment</h2>
      <ol class="events">
        {entries.map(({ key, atMs: ms, kind, who, text }, index) => (
          <li key={key} class={kind} {...(index === past - 1 && { "aria-current": "true" })}>
            <button type="button" onClick={() => goTo(ms)}>
              <span class="when">{milliseconds(ms)}</span>
              <span class="kind">{kind}</span>
              <span class="what">
                {who} {text}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {entries.length === 0 && <p>Nothing of what is chosen above.</p>}
    </section>
  );
}

export function Nodes({ result }: { readonly result: Shown }): JSX.Element {
  const nodes = nodesAt(result.recording.moments, atMs.value);
  return (
    <section aria-labelledby="nodes">
      <h2 id="nodes">Nodes at this moment</h2>
      <div class="wide" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {["Node", "Role", "Epoch", "Log ends", "Durable", "Committed", "Clients", "Disk"].map(
                (name) => (
                  <th key={name} scope="col">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {nodes.map((node, index) => (
              <tr key={index}>
                <th scope="row">{index + 1}</th>
                <td>{roleText(node)}</td>
                <td>{node.epoch}</td>
                <td>{node.logEnd}</td>
                <td>{node.durable}</td>
                <td>{node.committed}</td>
                <td>{node.clients}</td>
                <td>{node.disk === "" ? "works" : node.disk}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
