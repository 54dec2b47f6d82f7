/**
 * Writes a story down: its steps, who said what to whom, and what nodes and clients say of themselves. Within a step no line is
 * written twice, so it does not matter how often something is repeated; times and identities are left out.
 */
import type { Cluster } from "../cluster.ts";
import { decodeCbor, PEER_CBOR } from "../../../protocol/cbor.ts";
import { decodeFrame } from "../../../protocol/peer-frame.ts";
import type { Sent } from "../network.ts";
import { messageText, type PeerMessage, short, zxidText } from "./words.ts";

/** The width of the column that says who speaks to whom. */
const PATH_WIDTH = 12;

const ARROWS = { arrives: ">", held: "~", lost: "x" } as const;

export class Narrator {
  readonly #lines: string[] = [];
  readonly #said = new Set<string>();
  /** The last message of each kind on each path, as text. */
  readonly #last = new Map<string, string>();
  #isRecording = false;
  /** How often a node has begun to look for a leader. */
  looked = 0;

  constructor(cluster: Cluster) {
    cluster.network.onSent = (sent) => this.#sent(sent);
    cluster.trace.listener = (_line, who, text) => this.#noted(who, text);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  begin(): void {
    this.#isRecording = true;
  }

  end(): void {
    this.#isRecording = false;
  }

  step(text: string): void {
    if (!this.#isRecording) return;
    this.#said.clear();
    this.#lines.push("", `- ${text}`);
  }

  /** The story expected this, and it was so. */
  held(text: string): void {
    if (this.#isRecording) this.#lines.push(`  = ${text}`);
  }

  say(who: string, text: string): void {
    const line = `  ${who.padEnd(PATH_WIDTH)} ${text}`;
    if (!this.#isRecording || this.#said.has(line)) return;
    this.#said.add(line);
    this.#lines.push(line);
  }

  #sent({ from, isBeside, actor, bytes, to }: Sent): void {
    const message = messageOf(actor, bytes);
    if (message === undefined || this.#isIdle(from, message, to)) return;
    const text = messageText(message);
    for (const fate of ["arrives", "held", "lost"] as const) {
      const ids = to.filter((each) => each.fate === fate).map(({ id }) => id);
      if (ids.length === 0) continue;
      this.say(`${from}${isBeside ? "'" : ""} ${ARROWS[fate]} ${ids.join(" ")}`, text);
    }
  }

  /** A node that has nothing new repeats its last message, in case that was lost. Repetitions are no part of a story. */
  #isIdle(from: number, message: PeerMessage, to: Sent["to"]): boolean {
    if (message.kind !== "append" && message.kind !== "accepted") return false;
    const records = message.kind === "append" ? message.records : [];
    const text = JSON.stringify({ ...message, records: [], prevZxid: 0 });
    const paths = to.map(({ id, fate }) => `${from} ${id} ${fate} ${message.kind}`);
    const isNew = paths.some((path) => this.#last.get(path) !== text);
    for (const path of paths) this.#last.set(path, text);
    return records.length === 0 && !isNew;
  }

  #noted(who: string, text: string): void {
    if (who === "") return;
    if (/^\S+ looking /.test(text)) this.looked += 1;
    // A process beside the one that has its number is a copy of its folder, or of a rival ensemble.
    this.say(who.replace(" of node ", " of "), withoutDetail(text));
  }
}

/** Undefined: the message is a heartbeat or no message at all. */
function messageOf(actor: string, bytes: Uint8Array): PeerMessage | undefined {
  if (actor !== "log-sync" && actor !== "election") return undefined;
  const frame = decodeFrame(bytes);
  if ("fault" in frame || frame.kind !== "message") return undefined;
  return decodeCbor(frame.body, PEER_CBOR) as PeerMessage;
}

/** A longer note is cut off here: what a node says when it stops ends with advice to its operator. */
const NOTE_LENGTH_MAX = 90;

/** Only the name of a logged event stays. A session is named by the zxid at which it was made. */
function withoutDetail(text: string): string {
  const said = text
    .replace(/^\S+ (\w+) \{.*\}$/, "$1")
    .replace(/0x([0-9a-f]+)/g, (_all, digits: string) => zxidText(Number.parseInt(digits, 16)));
  return short(said, NOTE_LENGTH_MAX);
}
