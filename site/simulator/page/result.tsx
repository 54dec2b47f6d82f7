/** How a run ended, and how it is repeated in a terminal. */
import type { JSX } from "preact";
import type { Outcome } from "../messages.ts";
import { commandOf } from "../model/address.ts";
import { counted, milliseconds } from "./format.ts";
import { goTo, running, type Running, type Shown, shown } from "./state.ts";

export function Result(): JSX.Element {
  const [run, result] = [running.value, shown.value];
  return (
    <>
      <div role="status" class="status">
        {run !== undefined && <p>Running …</p>}
        {run === undefined && result !== undefined && <Ending result={result} />}
        {run === undefined && result === undefined && <p>Nothing has been run yet.</p>}
      </div>
      {run !== undefined && <p class="hint">{progressText(run)}</p>}
      {run === undefined && result !== undefined && <Details result={result} />}
    </>
  );
}

/** Outside of what a screen reader says by itself: it changes all the time. */
function progressText({ seed, virtualMs, passed }: Running): string {
  const before = passed === 0 ? "" : `; ${counted(passed)} before it held`;
  return `Seed ${seed} at ${counted(virtualMs)} ms of virtual time${before}`;
}

function Ending({ result }: { readonly result: Shown }): JSX.Element {
  const { outcome, address, passed } = result;
  const before = passed === 0 ? "" : ` ${counted(passed)} seeds before it held.`;
  if (outcome.kind === "violated") {
    return (
      <p class="violated">
        <strong>✗ Seed {address.seed} fails.</strong>
        {before} Violated: {outcome.text}
      </p>
    );
  }
  return (
    <p class="held">
      <strong>✓ Seed {address.seed} holds.</strong> {heldText(outcome)}
      {before}
    </p>
  );
}

function heldText(outcome: Extract<Outcome, { readonly kind: "held" }>): string {
  const { invariants, decisions, convergedMs } = outcome;
  return `None of ${invariants} invariants was violated in ${counted(decisions)} decisions of actors, and everything had converged ${counted(convergedMs)} ms after the last fault.`;
}

function omittedText({ messages, events }: Shown["recording"]["omitted"]): string {
  return `${counted(messages)} messages and ${counted(events)} events, beyond what is kept of a run`;
}

function Fact(props: { readonly name: string; readonly value: string }): JSX.Element {
  return (
    <>
      <dt>{props.name}</dt>
      <dd>{props.value}</dd>
    </>
  );
}

function Details({ result }: { readonly result: Shown }): JSX.Element {
  const { outcome, recording, address, tookMs } = result;
  const { omitted, plan } = recording;
  const facts = outcome.kind === "held" ? outcome.facts : [];
  return (
    <>
      <dl class="facts">
        <Fact name="Plan" value={plan} />
        <dt>Trace hash</dt>
        <dd>
          <code>{outcome.hash}</code>, after {milliseconds(recording.endMs)} of virtual time, which
          took {counted(tookMs)} ms here
        </dd>
        <dt>In a terminal</dt>
        <dd>
          <code>{commandOf(address)}</code>
        </dd>
        {omitted.messages + omitted.events > 0 && (
          <Fact name="Not shown" value={omittedText(omitted)} />
        )}
      </dl>
      {facts.length > 0 && (
        <details class="counts">
          <summary>Counts of the run</summary>
          <dl class="facts">
            {facts.map(([name, value]) => (
              <Fact key={name} name={name} value={value} />
            ))}
          </dl>
        </details>
      )}
      {outcome.kind === "violated" && (
        <p>
          <button type="button" onClick={() => goTo(recording.endMs)}>
            Go to the violation
          </button>
        </p>
      )}
    </>
  );
}
