/**
 * A configuration says who belongs to an ensemble: its voters, with each number bound to the one folder that votes under it. It is
 * replicated: every record that changes it and every folder's own file hold the whole of it.
 */
import { decodeCbor, encodeCbor, PEER_CBOR } from "./cbor.ts";
import { type ServerId, SERVER_ID_MAX, SERVER_ID_MIN } from "./ids.ts";
import { type Zxid, ZXID_NONE } from "./zxid.ts";
import { type EnsembleId, hexOfBytes, type Identity, isIdentity } from "./identity.ts";

export type Voter = { readonly id: ServerId; readonly identity: Identity };

export type Configuration = {
  readonly ensembleId: EnsembleId;
  /** 1 when the ensemble is founded; each change has the next number. */
  readonly version: number;
  /** The zxid of the record that made this configuration. It is 0 for the first one, which no record makes: barriers name it. */
  readonly since: Zxid;
  /** Ascending by id. */
  readonly voters: readonly Voter[];
};

const VERSION_MAX: number = 2 ** 32 - 1;

/**
 * Returns the first configuration of an ensemble. The ensemble's id is a digest of its founders, whose identities are random: the same
 * founders always make the same ensemble, and any other set of founders makes another one.
 */
export function foundedBy(founders: readonly Voter[]): Configuration {
  const voters = founders.toSorted((a, b) => a.id - b.id);
  return { ensembleId: digestOf(voters), version: 1, since: ZXID_NONE, voters };
}

/**
 * Returns the next configuration, in which `id` is bound to another folder. `since` is the zxid of the record that will hold it.
 */
export function withIdentity(
  { ensembleId, version, voters }: Configuration,
  { id, identity }: Voter,
  since: Zxid,
): Configuration {
  return {
    ensembleId,
    version: version + 1,
    since,
    voters: voters.map((voter) => (voter.id === id ? { id, identity } : voter)),
  };
}

export function identityOf(configuration: Configuration, id: ServerId): Identity | undefined {
  return configuration.voters.find((voter) => voter.id === id)?.identity;
}

/** Returns the voters as text: `1:<identity>,2:<identity>`. */
export function votersText({ voters }: Configuration): string {
  return voters.map(({ id, identity }) => `${id}:${identity}`).join(",");
}

/** Reads what `votersText` wrote; undefined if the text is no list of voters. */
export function votersOfText(text: string): readonly Voter[] | undefined {
  const voters = text.split(",").map((part) => {
    const [id, identity, ...rest] = part.split(":");
    return { id: Number(id), identity, rest: rest.length };
  });
  return checkedVoters(voters.every(({ rest }) => rest === 0) ? voters : []);
}

/** Returns the voters if there is at least one, their ids ascend, and each has an identity. */
function checkedVoters(
  voters: readonly { readonly id: unknown; readonly identity: unknown }[],
): readonly Voter[] | undefined {
  if (voters.length === 0 || voters.length > SERVER_ID_MAX) return undefined;
  const checked: Voter[] = [];
  let before = SERVER_ID_MIN - 1;
  for (const { id, identity } of voters) {
    if (typeof id !== "number" || !Number.isInteger(id) || id <= before || id > SERVER_ID_MAX) {
      return undefined;
    }
    if (!isIdentity(identity)) return undefined;
    before = id;
    checked.push({ id: id as ServerId, identity });
  }
  return checked;
}

/** Checks a decoded value that came from a file or a peer. Undefined if it is no configuration. */
export function checkedConfiguration(value: unknown): Configuration | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { ensembleId, version, since, voters } = value as Record<string, unknown>;
  if (!isIdentity(ensembleId) || !Array.isArray(voters)) return undefined;
  if (typeof version !== "number" || !Number.isInteger(version)) return undefined;
  if (version < 1 || version > VERSION_MAX || voters.length > SERVER_ID_MAX) return undefined;
  if (typeof since !== "number" || !Number.isSafeInteger(since) || since < 0) return undefined;
  const isEach = voters.every((voter) => typeof voter === "object" && voter !== null);
  const checked = isEach
    ? checkedVoters(voters as { id: unknown; identity: unknown }[])
    : undefined;
  return checked === undefined
    ? undefined
    : { ensembleId, version, since: since as Zxid, voters: checked };
}

export function encodeConfiguration(configuration: Configuration): Uint8Array {
  return encodeCbor(configuration);
}

/** Decodes the configuration of a verified record. Undefined if the bytes are none. */
export function decodeConfiguration(bytes: Uint8Array): Configuration | undefined {
  return checkedConfiguration(decodeCbor(bytes, PEER_CBOR));
}

/**
 * The digest has four 32-bit words, each mixed with all words before it. The identities are random, so founders collide only by
 * chance.
 */
function digestOf(voters: readonly Voter[]): EnsembleId {
  const words = new Uint32Array([0x9e37_79b9, 0x7f4a_7c15, 0xf39c_c060, 0x5ced_c834]);
  let carried = voters.length;
  for (const { id, identity } of voters) {
    for (let word = 0; word < words.length; word += 1) {
      const part = Number.parseInt(identity.slice(word * 8, word * 8 + 8), 16);
      carried = mix((words[word] ?? 0) ^ part ^ mix(carried + id));
      words[word] = carried;
    }
  }
  for (let word = 0; word < words.length; word += 1) {
    carried = mix((words[word] ?? 0) + carried);
    words[word] = carried;
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word);
  return hexOfBytes(bytes);
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of the bits of the result. */
function mix(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
