/**
 * The gate between this node and the others: it puts every message in a frame that says who sends it, and lets in only what
 * comes from where it says, before any actor sees it. It goes by the topic `standing` of log-sync. What it refuses is
 * counted, said in the log, and told to its sender, each at most once in a while.
 */
import type {
  RefusalReason,
  RefusedByPeer,
  Standing,
  TwinHeard,
} from "../actors/log-sync/messages.ts";
import type { Unheard } from "../actors/heartbeat/messages.ts";
import { decodeCbor, PEER_CBOR } from "../protocol/cbor.ts";
import type { ServerId } from "../protocol/ids.ts";
import {
  decodeFrame,
  encodeFrame,
  encodeHeader,
  isSameHead,
  PEER_FRAME_HEAD_BYTES,
  type PeerFrame,
  type PeerFrameHeader,
} from "../protocol/peer-frame.ts";
import type {
  Admission,
  Arrived,
  PeerCheck,
  PeerGate,
  PeerLogLine,
  PeerSender,
} from "../runtime/transport.ts";

export type PeerGateOptions = {
  readonly server: ServerId;
  /** A random number, by which this process is told from another one with the same folder or with a copy of it. */
  readonly nonce: number;
  /** What actors of this node may hear of others. */
  readonly check: PeerCheck;
};

/** After this time the same refusal is logged again. */
const SAY_AGAIN_MS = 60_000;
/** How much of an actor's name is logged: a stranger may have chosen it. */
const ACTOR_CHARACTERS_MAX = 40;
/** How many pairs of sender and reason are remembered: a stranger may name any sender. */
const SAID_MAX = 4096;
/** After this time the same refusal is told to the sender again. */
const TELL_AGAIN_MS = 1000;

type Said = { saidMs: number; sentMs: number; count: number };
type Incarnation = Pick<PeerFrameHeader, "identity" | "incarnation" | "nonce">;
type Known = { readonly head: Uint8Array; readonly sender: PeerSender; heardMs: number };

/** Another node, as its last message showed it. */
export type PeerContact = Pick<PeerSender, "isVoter" | "ensembleId"> & { readonly id: ServerId };

export class NodeGate implements PeerGate {
  readonly #server: ServerId;
  readonly #nonce: number;
  readonly #check: PeerCheck;
  #refused = 0;
  #standing: Standing | undefined;
  #header: Uint8Array | undefined;
  /** By node, the header of the frame that was let in last. */
  readonly #known = new Map<number, Known>();
  /** By number, the process that was started last on the folder that is bound to the number. */
  readonly #incarnations = new Map<number, Incarnation>();
  /** By sender and reason. */
  readonly #said = new Map<string, Said>();

  constructor({ server, nonce, check }: PeerGateOptions) {
    this.#server = server;
    this.#nonce = nonce;
    this.#check = check;
  }

  /** By which the others tell this process from another one with its folder, or with a copy of it. */
  get nonce(): number {
    return this.#nonce;
  }

  /** How many messages have been refused since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** The ensemble to which this node's folder belongs. Undefined: it belongs to none, or that is not known yet. */
  get ensembleId(): string | undefined {
    return this.#standing?.ensembleId;
  }

  /** The nodes of which a message was let in since then, ascending. */
  contacts(sinceMs: number): readonly PeerContact[] {
    return [...this.#known]
      .filter(([, { heardMs }]) => heardMs >= sinceMs)
      .map(([id, { sender }]) => {
        const { isVoter, ensembleId } = sender;
        return { id: id as ServerId, isVoter, ensembleId };
      })
      .sort((a, b) => a.id - b.id);
  }

  /** From now on this is who the node is, and whom it takes for a member. */
  goBy(standing: Standing): void {
    this.#standing = standing;
    this.#header = encodeHeader(this.#headerOf(standing), "message");
    this.#known.clear();
  }

  seal(message: object): Uint8Array | undefined {
    return this.#header === undefined ? undefined : encodeFrame(this.#header, message);
  }

  admit(incoming: Arrived, nowMs: number): Admission {
    const admission = this.#judge(incoming, nowMs);
    if (admission.kind === "refused" && admission !== NOTHING) this.#refused += 1;
    return admission;
  }

  unheard(by: ServerId): readonly { readonly to: string; readonly message: object }[] {
    const message: Unheard = { kind: "unheard", by };
    return [
      { to: "heartbeat", message },
      { to: "election", message },
    ];
  }

  #judge(incoming: Arrived, nowMs: number): Admission {
    const { from, bytes } = incoming;
    const known = this.#known.get(from);
    // Nearly every frame has the header of the one before.
    if (known !== undefined && isSameHead(known.head, bytes)) {
      known.heardMs = nowMs;
      return this.#take(incoming, known.sender, nowMs);
    }
    const frame = decodeFrame(bytes);
    if ("fault" in frame) return this.#malformed(incoming, frame.fault, nowMs);
    const { header, kind } = frame;
    if (header.server !== from) return this.#malformed(incoming, "another sender", nowMs);
    if (this.#standing === undefined) return NOTHING;
    if (kind === "refusal") return this.#refusal(incoming, frame, nowMs);
    if (from === this.#server) return this.#ownId(incoming, header, nowMs);
    const own = this.#standing.ensembleId;
    if (own !== undefined && header.ensembleId !== undefined && own !== header.ensembleId) {
      return this.#stranger(incoming, header, nowMs);
    }
    const sender = this.#senderOf(header, this.#standing);
    const later = sender.isVoter ? this.#laterThan(header) : undefined;
    if (later !== undefined)
      return this.#olderIncarnation(incoming, header, later.incarnation, nowMs);
    if (!sender.isNamed && this.#isOutdated(incoming, header, this.#standing)) {
      const reply = this.#reply(from, "outdated", header, nowMs);
      return { kind: "refused", reply };
    }
    const head = bytes.slice(0, PEER_FRAME_HEAD_BYTES);
    this.#known.set(from, { head, sender, heardMs: nowMs });
    return this.#take(incoming, sender, nowMs);
  }

  #senderOf(header: PeerFrameHeader, { ensembleId: own, voters, named }: Standing): PeerSender {
    const { server, identity, incarnation, nonce, ensembleId } = header;
    const isMember = own !== undefined && ensembleId === own;
    const isVoter = isMember && voters.get(server) === identity;
    const isNamed = isMember && named.has(identity);
    return { identity, incarnation, nonce, ensembleId, isVoter, isNamed };
  }

  /** The process of the same folder that was started after this one, or at the same start from a copy. */
  #laterThan({ server, identity, incarnation, nonce }: PeerFrameHeader): Incarnation | undefined {
    const known = this.#incarnations.get(server);
    const isLater = known?.identity !== identity || incarnation > known.incarnation;
    if (isLater) this.#incarnations.set(server, { identity, incarnation, nonce });
    return isLater || known.nonce === nonce ? undefined : known;
  }

  /**
   * Whether the actor hears nodes that are not named: log-sync does, since that is how a node comes to belong to an ensemble, and
   * heartbeat once this node belongs to one.
   */
  #isOpen(actor: string): boolean {
    const belongs = this.#standing?.ensembleId !== undefined;
    return actor === "log-sync" || (belongs && actor === "heartbeat");
  }

  /** The sender goes by an older configuration than this node, in which it may still be a voter. */
  #isOutdated({ actor }: Arrived, header: PeerFrameHeader, standing: Standing): boolean {
    const { ensembleId, configurationVersion } = header;
    if (ensembleId === undefined || ensembleId !== standing.ensembleId) return false;
    return !this.#isOpen(actor) && configurationVersion < standing.version;
  }

  #take(incoming: Arrived, sender: PeerSender, nowMs: number): Admission {
    const { from, actor, isAnswer } = incoming;
    // A node that is not named only follows, so the other actors need not hear of it.
    if (!sender.isNamed && !this.#isOpen(actor)) return NOTHING;
    let message: unknown;
    try {
      message = decodeCbor(incoming.bytes.subarray(PEER_FRAME_HEAD_BYTES), PEER_CBOR);
    } catch {
      // Why the bytes could not be decoded does not matter: they are no message.
    }
    if (typeof message !== "object" || message === null) {
      return this.#malformed(incoming, "no message", nowMs);
    }
    const reason = this.#check({ from, actor, message, isAnswer });
    return reason === undefined
      ? { kind: "taken", sender, message }
      : this.#malformed(incoming, reason, nowMs);
  }

  /** This node's own frame that came back late, or another process that has this node's number. */
  #ownId({ from }: Arrived, header: PeerFrameHeader, nowMs: number): Admission {
    if (header.nonce === this.#nonce) return NOTHING;
    const own = this.#standing?.identity === header.identity;
    const log = this.#say(from, "twin", nowMs, {
      level: "error",
      event: "anotherProcessWithThisId",
      detail: {
        id: this.#server,
        itsFolder: own ? "this one, or a copy of it" : `another one, ${short(header.identity)}`,
        hint: "two processes of this ensemble have one id: stop one of them",
      },
    });
    const reply = this.#reply(from, "twin", header, nowMs);
    return { kind: "refused", log, reply, tell: { to: "log-sync", message: TWIN_HEARD } };
  }

  /** A late message of an earlier process, or another process with the same folder or with a copy of it. */
  #olderIncarnation(
    { from }: Arrived,
    header: PeerFrameHeader,
    incarnation: number,
    nowMs: number,
  ): Admission {
    const log = this.#say(from, "olderIncarnation", nowMs, {
      level: "info",
      event: "olderIncarnation",
      detail: { node: from, incarnation: header.incarnation, remembered: incarnation },
    });
    return {
      kind: "refused",
      log,
      reply: this.#reply(from, "olderIncarnation", header, nowMs, incarnation),
    };
  }

  /** The sender belongs to another ensemble, which has the same name and is on the same network. */
  #stranger({ from }: Arrived, header: PeerFrameHeader, nowMs: number): Admission {
    const log = this.#say(from, "otherEnsemble", nowMs, {
      level: "warn",
      event: "otherEnsemble",
      detail: {
        node: from,
        belongsTo: short(header.ensembleId ?? ""),
        thisOneTo: short(this.#standing?.ensembleId ?? ""),
        hint: "two ensembles have one name on one network: give one of them another --ensemble",
      },
    });
    return { kind: "refused", log, reply: this.#reply(from, "otherEnsemble", header, nowMs) };
  }

  /** Another node has refused a frame of this one, and says why. */
  #refusal(incoming: Arrived, { header, body }: PeerFrame, nowMs: number): Admission {
    const refusal = refusalOf(body);
    if (refusal === undefined) return this.#malformed(incoming, "no refusal", nowMs);
    const { from } = incoming;
    const isVoter = this.#standing !== undefined && this.#senderOf(header, this.#standing).isVoter;
    // All processes with this number hear the refusal, and only one of them is meant.
    if (refusal.nonce !== this.#nonce) return NOTHING;
    const { reason, text, incarnation } = refusal;
    const log = this.#say(from, `told ${reason}`, nowMs, {
      level: "error",
      event: "refusedByPeer",
      detail: { by: from, reason, text },
    });
    // A sender that is no member must not make this node do anything.
    if (!isVoter) return { kind: "refused", log };
    const by = from;
    const message: RefusedByPeer = { kind: "refusedByPeer", from: by, reason, incarnation };
    return { kind: "refused", log, tell: { to: "log-sync", message } };
  }

  #malformed({ from, actor }: Arrived, fault: string, nowMs: number): Admission {
    const log = this.#say(from, `malformed ${fault}`, nowMs, {
      level: "warn",
      event: "malformedPeerMessage",
      detail: { from, to: actor.slice(0, ACTOR_CHARACTERS_MAX), fault },
    });
    return { kind: "refused", log };
  }

  /** The line, or undefined when the same was logged a short while ago. */
  #say(from: number, reason: string, nowMs: number, line: PeerLogLine): PeerLogLine | undefined {
    const said = this.#saidOf(from, reason);
    said.count += 1;
    if (nowMs - said.saidMs < SAY_AGAIN_MS) return undefined;
    said.saidMs = nowMs;
    return { ...line, detail: { ...line.detail, times: said.count } };
  }

  #reply(
    to: number,
    reason: RefusalReason,
    of: PeerFrameHeader,
    nowMs: number,
    incarnation = 0,
  ): Uint8Array | undefined {
    const said = this.#saidOf(to, reason);
    if (this.#standing === undefined || nowMs - said.sentMs < TELL_AGAIN_MS) return undefined;
    said.sentMs = nowMs;
    const header = encodeHeader(this.#headerOf(this.#standing), "refusal");
    const text = TEXTS[reason];
    return encodeFrame(header, { reason, nonce: of.nonce, text, incarnation });
  }

  #saidOf(from: number, reason: string): Said {
    const key = `${from} ${reason}`;
    const known = this.#said.get(key);
    if (known !== undefined) return known;
    const said = { saidMs: Number.NEGATIVE_INFINITY, sentMs: Number.NEGATIVE_INFINITY, count: 0 };
    this.#said.set(key, said);
    if (this.#said.size > SAID_MAX) {
      const [oldest] = this.#said.keys();
      if (oldest !== undefined) this.#said.delete(oldest);
    }
    return said;
  }

  #headerOf({ identity, incarnation, ensembleId, version }: Standing): PeerFrameHeader {
    return {
      server: this.#server,
      ensembleId,
      identity,
      incarnation,
      nonce: this.#nonce,
      configurationVersion: version,
    };
  }
}

const NOTHING: Admission = { kind: "refused" };
const TWIN_HEARD: TwinHeard = { kind: "twinHeard" };

const TEXTS: Readonly<Record<RefusalReason, string>> = {
  twin: "another process has this node's id: stop one of them",
  olderIncarnation:
    "its folder has been used since by another process: it is a copy, or an old one put back",
  outdated: "its number is bound to another folder by now",
  otherEnsemble:
    "it belongs to another ensemble of the same name: give one of them another --ensemble",
};

type Refusal = {
  readonly reason: RefusalReason;
  readonly nonce: number;
  readonly text: string;
  readonly incarnation: number;
};

const TEXT_CHARACTERS_MAX = 300;

function refusalOf(body: Uint8Array): Refusal | undefined {
  let value: unknown;
  try {
    value = decodeCbor(body, PEER_CBOR);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { reason, nonce, text, incarnation } = value as Record<string, unknown>;
  if (typeof reason !== "string" || !Object.hasOwn(TEXTS, reason)) {
    return undefined;
  }
  if (typeof nonce !== "number" || typeof text !== "string") return undefined;
  if (typeof incarnation !== "number" || !Number.isSafeInteger(incarnation)) return undefined;
  return {
    reason: reason as RefusalReason,
    nonce,
    text: text.slice(0, TEXT_CHARACTERS_MAX),
    incarnation,
  };
}

/** The beginning of an identity, by which people can tell one from another. */
export function short(id: string): string {
  return id.slice(0, 8);
}
