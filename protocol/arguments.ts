/**
 * Checks of what callers give, before anything is done with it: a caller may be JavaScript, or may have cast its way around the types.
 * Every check throws a `BadArgumentsError`, which says what was given and what is expected.
 */
import type { Acl } from "./acl.ts";
import { BadArgumentsError } from "./errors.ts";
import { CONTAINER, type Lifetime, TTL_MS_MAX, ttlOf } from "./lifetime.ts";
import { PAGE_CHILDREN_MAX } from "./limits.ts";
import type { CreateMode } from "./operations.ts";
import { pathProblem, pathSizeProblem } from "./paths.ts";

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const SHOWN_MAX = 80;

export function checkPath(path: unknown): asserts path is string {
  if (typeof path !== "string") throw bad("a path", "a string", path);
  const problem = pathProblem(path) ?? pathSizeProblem(path);
  if (problem !== undefined) throw new BadArgumentsError(`${shown(path)}: ${problem}`);
}

/** Returns the data as bytes: text becomes UTF-8, and null stays null. */
export function checkedData(data: unknown): Uint8Array | null {
  if (data === null || data instanceof Uint8Array) return data;
  if (typeof data === "string") return new TextEncoder().encode(data);
  throw bad("data", "a Uint8Array, a string or null", data);
}

/** Every 32-bit integer is allowed; -1 stands for any version. */
export function checkVersion(version: unknown): asserts version is number {
  const isVersion = Number.isInteger(version) && isWithin(version as number, INT32_MIN, INT32_MAX);
  if (!isVersion) throw bad("`version`", "an integer of 32 bits", version);
}

/** Checks a zxid, such as the one at which a change stream begins. */
function checkZxid(name: string, zxid: unknown): void {
  const isZxid = Number.isSafeInteger(zxid) && (zxid as number) >= 0;
  if (!isZxid) throw bad(name, "a zxid: an integer that is not negative, as reads tell it", zxid);
}

export function checkChangesOptions(options: {
  readonly recursive?: unknown;
  readonly progress?: unknown;
  readonly from?: unknown;
}): void {
  checkOptions("options", options);
  const { recursive, progress, from } = options;
  if (recursive !== undefined && recursive !== "children") {
    checkBoolean("`recursive`, where it is not `children`,", recursive);
  }
  if (progress !== undefined) checkBoolean("`progress`", progress);
  if (from !== undefined) checkZxid("`from`", from);
}

/** What every stream of a client takes. */
export function checkStreamOptions(options: {
  readonly signal?: unknown;
  readonly data?: unknown;
}): void {
  checkOptions("options", options);
  const { signal, data } = options;
  if (signal !== undefined && !isSignal(signal)) throw bad("`signal`", "an AbortSignal", signal);
  if (data !== undefined) checkBoolean("`data`", data);
}

const ON_GAP: readonly unknown[] = ["error", "emit", "reread"];
/** Timers of Node take no more. */
const PROGRESS_MS_MAX = 2 ** 31 - 1;

/** What a client's stream of changes takes beside that. */
export function checkClientChangesOptions(options: {
  readonly recursive?: unknown;
  readonly from?: unknown;
  readonly progressMs?: unknown;
  readonly onGap?: unknown;
  readonly signal?: unknown;
}): void {
  checkChangesOptions(options);
  checkStreamOptions(options);
  const { progressMs, onGap } = options;
  const isTime = progressMs === undefined || isMilliseconds(progressMs);
  if (!isTime) throw bad("`progressMs`", "milliseconds, from 0 on", progressMs);
  if (onGap !== undefined && !ON_GAP.includes(onGap)) {
    throw bad("`onGap`", "one of `error`, `emit`, `reread`", onGap);
  }
}

function isMilliseconds(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= PROGRESS_MS_MAX;
}

/** What ends a znode that is to be made: its session, its last child, its age, or only a delete. */
export function checkedMode(options: {
  readonly ephemeral?: boolean;
  readonly sequential?: boolean;
  readonly container?: boolean;
  readonly ttlMs?: number;
}): CreateMode {
  const { ephemeral = false, sequential = false, container = false, ttlMs } = options;
  checkBoolean("`ephemeral`", ephemeral);
  checkBoolean("`sequential`", sequential);
  checkBoolean("`container`", container);
  const lifetime = container ? CONTAINER : lifetimeOf(ttlMs);
  const ends = [ephemeral, container, ttlMs !== undefined].filter((isGiven) => isGiven);
  if (ends.length > 1) {
    throw new BadArgumentsError("only one of `ephemeral`, `container` and `ttlMs` may be given");
  }
  return lifetime === undefined ? { ephemeral, sequential } : { ephemeral, sequential, lifetime };
}

function lifetimeOf(ttlMs: unknown): Lifetime | undefined {
  if (ttlMs === undefined) return undefined;
  const lifetime = typeof ttlMs === "number" ? ttlOf(ttlMs) : undefined;
  if (lifetime !== undefined) return lifetime;
  throw bad("`ttlMs`", `an integer from 1 to ${TTL_MS_MAX}, of milliseconds`, ttlMs);
}

/** Null is refused. A missing object never comes here: callers take `{}` for it. */
export function checkOptions(name: string, options: unknown): asserts options is object {
  if (typeof options !== "object" || options === null) throw bad(name, "an object", options);
}

/** What every call takes. */
export function checkCallOptions(options: {
  readonly timeoutMs?: unknown;
  readonly signal?: unknown;
}): void {
  checkOptions("options", options);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined) checkMilliseconds("`timeoutMs`", timeoutMs);
  if (signal !== undefined && !isSignal(signal)) throw bad("`signal`", "an AbortSignal", signal);
}

/** By what it can do, since it may be of another realm, or of a library that fakes time. */
function isSignal(signal: unknown): boolean {
  if (typeof signal !== "object" || signal === null) return false;
  return "aborted" in signal && "addEventListener" in signal;
}

/** Checks the form of an access control list; whether the ensemble knows its schemes is for the ensemble to say. */
export function checkAcl(acl: unknown): asserts acl is readonly Acl[] {
  if (!Array.isArray(acl)) throw bad("`acl`", "a list of permissions, scheme and id", acl);
  for (const entry of acl as readonly unknown[]) {
    checkOptions("an entry of `acl`", entry);
    const { permissions, scheme, id } = entry as Partial<Acl>;
    const areBits = Number.isInteger(permissions) && isWithin(permissions as number, 0, 31);
    if (!areBits) throw bad("`permissions`", "a sum of 1, 2, 4, 8 and 16", permissions);
    checkText("`scheme`", scheme);
    checkText("`id`", id);
  }
}

/** Limits of a quota: each is a count that is not negative. */
export function checkQuotaLimits(limits: unknown): void {
  if (limits === null) return;
  checkOptions("limits", limits);
  for (const name of ["znodes", "bytes", "znodesHard", "bytesHard"] as const) {
    const value = (limits as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) continue;
    const isCount = Number.isSafeInteger(value) && (value as number) >= 0;
    if (!isCount) throw bad(`\`${name}\``, "a number that is not negative", value);
  }
}

export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== "boolean") throw bad(name, "true or false", value);
}

export function checkText(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw bad(name, "a string", value);
}

export function checkMilliseconds(name: string, value: unknown): void {
  const isTime = Number.isInteger(value) && isWithin(value as number, 1, INT32_MAX);
  if (!isTime) throw bad(name, `an integer from 1 to ${INT32_MAX}, of milliseconds`, value);
}

export function checkPageSize(size: unknown): void {
  const isSize = Number.isInteger(size) && isWithin(size as number, 1, PAGE_CHILDREN_MAX);
  if (!isSize) throw bad("`size`", `an integer from 1 to ${PAGE_CHILDREN_MAX}`, size);
}

function isWithin(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

function bad(name: string, expected: string, given: unknown): BadArgumentsError {
  return new BadArgumentsError(`${name} is ${expected}, not ${shown(given)}`);
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    const text = JSON.stringify(value.slice(0, SHOWN_MAX));
    return value.length > SHOWN_MAX ? `${text} and more` : text;
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}
