/** The symbols of messages: each kind has a colour and a form of its own, so that nothing is said by colour alone. */
import type { JSX } from "preact";
import type { MessageKind } from "../../../test/sim/recording/recording.ts";

const FORMS: Readonly<Record<MessageKind, string>> = {
  replication: "M-6,0a6,6 0 1,0 12,0a6,6 0 1,0 -12,0z",
  election: "M0,-8L8,0L0,8L-8,0z",
  heartbeat: "M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0z",
  write: "M-6,-6H6V6H-6z",
  snapshot: "M0,-7L7,6H-7z",
  membership: "M-2.5,-7H2.5V-2.5H7V2.5H2.5V7H-2.5V2.5H-7V-2.5H-2.5z",
  nobody: "M0,7L7,-6H-7z",
};

export const KIND_NAMES: Readonly<Record<MessageKind, string>> = {
  replication: "replication",
  election: "elections",
  heartbeat: "pings and pongs",
  write: "writes for the leader",
  snapshot: "snapshots",
  membership: "membership",
  nobody: "nobody hears it",
};

export function MessageSymbol(props: {
  readonly kind: MessageKind;
  readonly lost: boolean;
}): JSX.Element {
  const { kind, lost } = props;
  return (
    <>
      <path class={`message ${kind}${lost ? " lost" : ""}`} d={FORMS[kind]} />
      {lost && <path class="cross" d="M-9,-9L9,9M9,-9L-9,9" />}
    </>
  );
}

/** The symbol beside a text. */
export function LegendSymbol(props: {
  readonly kind: MessageKind;
  readonly lost?: boolean;
}): JSX.Element {
  return (
    <svg class="symbol" viewBox="-10 -10 20 20" aria-hidden="true">
      <MessageSymbol kind={props.kind} lost={props.lost === true} />
    </svg>
  );
}
