/**
 * The names of all files in a data folder, and what is in the small ones: to whom the folder belongs, the promise, the incarnation, the
 * marker of a lost vote. The format is described in docs/internals/disk-format.md.
 */
import type { Crc32 } from "../../../protocol/record.ts";
import { type ServerId, SERVER_ID_MAX, SERVER_ID_MIN } from "../../../protocol/ids.ts";
import {
  checkedConfiguration,
  type Configuration,
  votersOfText,
  votersText,
} from "../../../protocol/configuration.ts";
import { type Identity, isIdentity } from "../../../protocol/identity.ts";
import { type Epoch, EPOCH_MAX, EPOCH_NONE, type Zxid } from "../../../protocol/zxid.ts";
import type { NoFile } from "../../../runtime/disk.ts";
import type { EpochPromise } from "../../../protocol/replication.ts";
import type { VoteLoss } from "../messages.ts";
import { LogStop, TEMPORARY_SUFFIX } from "./procedure.ts";

/**
 * The version that is written. Version 1 had no seals and no remnants in its segments; version 2 had no identity, no members and no
 * `log-end`. All of them are read.
 */
export const FORMAT_VERSION = 3;
/** Since this version a folder has the files `promise` and `log-end` from its first start on. */
export const ALL_FILES_VERSION = 3;
const FORMAT_VERSION_MIN = 1;
const VERSION_WITH_IDENTITY = 3;
export const OWNER_FILE = "zooid.json";
export const PROMISE_FILE = "promise";
export const INCARNATION_FILE = "incarnation";
/** Says, outside of the log, how far the log was durable (`segments/log-end.ts`). */
export const LOG_END_FILE = "log-end";
/** The next segment, which is being filled with zeros. */
export const SPARE_FILE = "spare";
const REUSED_NAME = /^spare\.[0-9a-f]{16}$/;
/** The snapshot that this node's tree cuts. */
export const SNAPSHOT_NEW_FILE = "snapshot.new";
/** The leader's snapshot that this node receives. */
export const TRANSFER_FILE = "parts.new";
/** Says that this node may not vote, and why. */
export const VOTE_LOSS_FILE = "damaged";
/**
 * Where the log has a folder of its own, this file of the data folder names it, and the other one, in that folder, names the data folder
 * (`server/log-folder.ts`).
 */
export const OTHER_LOG_FILE = "log-folder";
export const OTHER_DATA_FILE = "data-folder";
/** Files that may be in the folder too: the skipped operations, ZooKeeper's settings, and what file systems put into a folder. */
const TOLERATED_NAME =
  /^(myid|skipped\.json(\.new)?|(log|data)-folder(\.new)?|zookeeper_server\.pid|zoo[\w.-]*\.cfg[\w.-]*|lost\+found)$/;
/** The folder in which Apache ZooKeeper keeps its transaction logs and snapshots, below `dataDir` and `dataLogDir`. */
export const ZOOKEEPER_FOLDER = "version-2";

/** Files that are always replaced as a whole, so no crash damages them. */
const WHOLE_FILES: readonly string[] = [
  OWNER_FILE,
  PROMISE_FILE,
  INCARNATION_FILE,
  LOG_END_FILE,
  VOTE_LOSS_FILE,
];

/** To whom a folder must belong, by the flags of this start. */
export type FolderOwner = {
  readonly ensemble: string;
  readonly server: ServerId;
  /** The voters that the node is started with. */
  readonly members: readonly ServerId[];
};

/** To whom a folder belongs, as it has stored it. */
export type StoredOwner = {
  readonly ensemble: string;
  readonly server: ServerId;
  /** The version of the format in which the file was written. */
  readonly version: number;
  /** Undefined: the file was written before version 3. */
  readonly own: FolderIdentity | undefined;
};

export type FolderIdentity = {
  readonly identity: Identity;
  readonly members: readonly ServerId[];
  /** The last configuration that is known to be committed. Undefined: the folder belongs to no ensemble yet. */
  readonly configuration: Configuration | undefined;
};

const SEGMENT_NAME = /^log\.([0-9a-f]{16})$/;

export function segmentName(firstZxid: Zxid): string {
  return `log.${firstZxid.toString(16).padStart(16, "0")}`;
}

export function isSegmentName(name: string): boolean {
  return SEGMENT_NAME.test(name);
}

/** The first zxid of the segment's first record, which is in its name. */
export function segmentZxid(name: string): Zxid {
  return Number.parseInt(SEGMENT_NAME.exec(name)?.[1] ?? "0", 16) as Zxid;
}

/** The name of a purged segment until it is written to again. */
export function reusedName(segment: string): string {
  return `${SPARE_FILE}.${SEGMENT_NAME.exec(segment)?.[1] ?? ""}`;
}

export function isReused(name: string): boolean {
  return REUSED_NAME.test(name);
}

const SNAPSHOT_NAME = /^snapshot\.([0-9a-f]{16})$/;
const INSTALL_NAME = /^install\.([0-9a-f]{16})$/;

export function snapshotName(zxid: Zxid): string {
  return `snapshot.${zxid.toString(16).padStart(16, "0")}`;
}

/** The name of a leader's verified snapshot that replaces the log. The replacement is decided when the file has this name. */
export function installName(zxid: Zxid): string {
  return `install.${zxid.toString(16).padStart(16, "0")}`;
}

/** The zxid that the name of a snapshot contains. Undefined: it is not the name of one. */
export function snapshotZxid(name: string): Zxid | undefined {
  const digits = SNAPSHOT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : (Number.parseInt(digits, 16) as Zxid);
}

export function installZxid(name: string): Zxid | undefined {
  const digits = INSTALL_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : (Number.parseInt(digits, 16) as Zxid);
}

/** The name under which a damaged file is kept until the node is repaired. */
export function asideName(name: string): string {
  return `${VOTE_LOSS_FILE}.${name}`;
}

export function isAside(name: string): boolean {
  return name.startsWith(`${VOTE_LOSS_FILE}.`) && !isLeftover(name);
}

/** Whether the file lies in the folder of the log, where the log has one of its own. What is renamed to or from such a name is such a file. */
export function isOfLogFolder(name: string): boolean {
  const plain = isAside(name) ? name.slice(VOTE_LOSS_FILE.length + 1) : name;
  return isSegmentName(plain) || plain === SPARE_FILE || isReused(plain);
}

export function isOurs(name: string): boolean {
  if (isSegmentName(name) || isLeftover(name) || isAside(name)) return true;
  if (snapshotZxid(name) !== undefined || installZxid(name) !== undefined) return true;
  return WHOLE_FILES.includes(name);
}

export function isTolerated(name: string): boolean {
  return TOLERATED_NAME.test(name);
}

/** Whether a file is a half-written one of an earlier start. Nobody was ever answered because of what is in such a file. */
export function isLeftover(name: string): boolean {
  if (name === SPARE_FILE || isReused(name)) return true;
  if (name === SNAPSHOT_NEW_FILE || name === TRANSFER_FILE) return true;
  return WHOLE_FILES.some((file) => name === `${file}${TEMPORARY_SUFFIX}`);
}

export function encodeOwner(
  owner: Pick<FolderOwner, "ensemble" | "server">,
  { identity, members, configuration }: FolderIdentity,
  crc32: Crc32,
): Uint8Array {
  const { ensemble, server } = owner;
  const fields = {
    version: FORMAT_VERSION,
    ensemble,
    server,
    identity,
    members: members.join(","),
  };
  if (configuration === undefined) return encodeChecked(fields, crc32);
  const { ensembleId, since, version: configurationVersion } = configuration;
  const voters = votersText(configuration);
  return encodeChecked({ ...fields, ensembleId, configurationVersion, since, voters }, crc32);
}

export function decodeOwner(bytes: Uint8Array, crc32: Crc32): StoredOwner {
  const found = decodeChecked(OWNER_FILE, bytes, crc32);
  const { ensemble } = found;
  if (typeof ensemble !== "string") throw damaged(OWNER_FILE);
  const server = serverIn(OWNER_FILE, found["server"]);
  const version = numberIn(OWNER_FILE, found["version"], FORMAT_VERSION);
  if (version < VERSION_WITH_IDENTITY) return { ensemble, server, version, own: undefined };
  const { identity, members, ensembleId, configurationVersion, since, voters } = found;
  if (!isIdentity(identity) || typeof members !== "string") throw damaged(OWNER_FILE);
  const ids = members.split(",").map((id) => serverIn(OWNER_FILE, Number(id)));
  const own = { identity, members: ids };
  if (ensembleId === undefined) {
    return { ensemble, server, version, own: { ...own, configuration: undefined } };
  }
  const configuration = checkedConfiguration({
    ensembleId,
    version: configurationVersion,
    since,
    voters: typeof voters === "string" ? votersOfText(voters) : undefined,
  });
  if (configuration === undefined) throw damaged(OWNER_FILE);
  return { ensemble, server, version, own: { ...own, configuration } };
}

/** Refuses a start that contradicts its folder, and says which is which. */
export function checkOwner(stored: StoredOwner, flags: FolderOwner): void {
  const contradictions: string[] = [];
  const compare = (what: string, inFolder: string, inFlags: string): void => {
    if (inFolder === inFlags) return;
    contradictions.push(`${what} ${inFolder} in the folder, ${inFlags} in this start`);
  };
  compare("id", String(stored.server), String(flags.server));
  compare("ensemble", `"${stored.ensemble}"`, `"${flags.ensemble}"`);
  if (stored.own !== undefined) {
    compare("members", stored.own.members.join(","), flags.members.join(","));
  }
  if (contradictions.length === 0) return;
  throw new LogStop(
    `the data folder contradicts this start (${OWNER_FILE}): ${contradictions.join("; ")}. Nothing was changed. Start it with the settings of the folder (--id, --ensemble, --members, or the lines of zoo.cfg), or give this node a folder of its own.`,
  );
}

export function encodePromise(promise: EpochPromise, crc32: Crc32): Uint8Array {
  return encodeChecked(
    { version: FORMAT_VERSION, epoch: promise.epoch, candidate: promise.candidate },
    crc32,
  );
}

export function decodePromise(bytes: Uint8Array, crc32: Crc32): EpochPromise {
  const found = decodeChecked(PROMISE_FILE, bytes, crc32);
  const candidate = serverIn(PROMISE_FILE, found["candidate"]);
  const { epoch } = found;
  if (epoch === 0) return { epoch: EPOCH_NONE, candidate };
  return { epoch: numberIn(PROMISE_FILE, epoch, EPOCH_MAX) as Epoch, candidate };
}

export function encodeIncarnation(incarnation: number, crc32: Crc32): Uint8Array {
  return encodeChecked({ version: FORMAT_VERSION, incarnation }, crc32);
}

export function decodeIncarnation(bytes: Uint8Array, crc32: Crc32): number {
  const found = decodeChecked(INCARNATION_FILE, bytes, crc32);
  return numberIn(INCARNATION_FILE, found["incarnation"], Number.MAX_SAFE_INTEGER - 1);
}

/** The format version of the node that last started with this folder, since each start writes this file again. */
export function incarnationVersion(bytes: Uint8Array, crc32: Crc32): number {
  return numberIn(
    INCARNATION_FILE,
    decodeChecked(INCARNATION_FILE, bytes, crc32)["version"],
    FORMAT_VERSION,
  );
}

export function encodeVoteLoss(loss: VoteLoss, crc32: Crc32): Uint8Array {
  return encodeChecked({ version: FORMAT_VERSION, reason: loss.reason, epoch: loss.epoch }, crc32);
}

export function decodeVoteLoss(bytes: Uint8Array, crc32: Crc32): VoteLoss {
  const found = decodeChecked(VOTE_LOSS_FILE, bytes, crc32);
  const { reason, epoch } = found;
  if (!isVoteLossReason(reason)) throw damaged(VOTE_LOSS_FILE);
  if (epoch === 0) return { reason, epoch: EPOCH_NONE };
  return { reason, epoch: numberIn(VOTE_LOSS_FILE, epoch, EPOCH_MAX) as Epoch };
}

function isVoteLossReason(reason: unknown): reason is VoteLoss["reason"] {
  return reason === "new" || reason === "guest" || reason === "log" || reason === "promise";
}

/** Encodes one line of JSON. Its last field is the CRC-32 of the same JSON without that field, in hexadecimal. */
function encodeChecked(
  fields: Readonly<Record<string, string | number>>,
  crc32: Crc32,
): Uint8Array {
  const checksum = checksumOf(fields, crc32);
  return new TextEncoder().encode(`${JSON.stringify({ ...fields, checksum })}\n`);
}

function decodeChecked(file: string, bytes: Uint8Array, crc32: Crc32): Record<string, unknown> {
  const parsed = parseObject(new TextDecoder().decode(bytes));
  if (parsed === undefined) throw damaged(file);
  const { checksum, ...fields } = parsed;
  if (checksum !== checksumOf(fields, crc32)) throw damaged(file);
  const { version } = fields;
  const isKnown = Number.isInteger(version) && Number(version) >= FORMAT_VERSION_MIN;
  if (!isKnown || Number(version) > FORMAT_VERSION) {
    throw new LogStop(
      `${file} in the data folder has format version ${String(version)}, this zooid reads versions ${FORMAT_VERSION_MIN} to ${FORMAT_VERSION}: start the node with the version that wrote it, or a later one.`,
    );
  }
  return fields;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function checksumOf(fields: object, crc32: Crc32): string {
  return crc32(new TextEncoder().encode(JSON.stringify(fields)))
    .toString(16)
    .padStart(8, "0");
}

function numberIn(file: string, value: unknown, maximum: number, minimum = 1): number {
  if (typeof value !== "number" || !Number.isInteger(value)) throw damaged(file);
  if (value < minimum || value > maximum) throw damaged(file);
  return value;
}

function serverIn(file: string, value: unknown): ServerId {
  return numberIn(file, value, SERVER_ID_MAX, SERVER_ID_MIN) as ServerId;
}

/** The words for a thing in the folder that is not a regular file. */
export const NO_FILES: Readonly<Record<NoFile["is"], string>> = {
  folder: "a folder",
  link: "a symbolic link",
  special: "neither a file nor a folder",
};

/** The advice to an operator who gives zooid the data folder of Apache ZooKeeper, of which zooid reads nothing. */
export const ZOOKEEPER_ADVICE =
  "a node does not begin from those, and beginning with an empty tree would hide all that is in them. To migrate, leave that folder as it is: zooid import-zookeeper makes a backup of it, and zooid restore makes an empty folder of its own for this node from that; or copy the znodes from the one service to the other with a client.";

/** One of the files is damaged that are always replaced as a whole. No crash damages those. */
export class FileDamaged extends LogStop {}

export function damaged(file: string): FileDamaged {
  return new FileDamaged(`${file} in the data folder is damaged. ${WHAT_TO_DO}`);
}

/** The advice to an operator about a damaged folder. A member with an empty folder has no vote until the others have filled it. */
export const WHAT_TO_DO =
  "Nothing was changed. Put back the undamaged folder if there is one as new as this; a member of an ensemble may also be started with an empty folder, which the others then fill.";
