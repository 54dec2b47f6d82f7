/** Reads one value from its text, or says by which rule it is none. */
import { existsSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { SERVER_ID_MAX, SERVER_ID_MIN, type ServerId } from "../../protocol/ids.ts";
import { ENSEMBLE_NAME_RULE, isEnsembleName } from "../../protocol/subjects.ts";
import { isNatsServer } from "../../runtime/nats/server-url.ts";

export type Reading<Value> =
  | { readonly kind: "read"; readonly value: Value }
  | { readonly kind: "refused"; readonly rule: string; readonly hint: string };

export type Reader<Value> = (text: string) => Reading<Value>;

const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(\.(?!-)[A-Za-z0-9-]{1,63})*\.?$/;

export function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

export function wholeNumber(min: number, max: number, hint: string): Reader<number> {
  return (text) => {
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && value >= min && value <= max) return { kind: "read", value };
    return { kind: "refused", rule: `must be a whole number from ${min} to ${max}`, hint };
  };
}

/** A whole number, or 0, which stands for a value that is derived from the machine. */
export function zeroOr(min: number, max: number, hint: string): Reader<number> {
  const other = wholeNumber(min, max, hint);
  return (text) => {
    if (/^[+-]?0+$/.test(text)) return { kind: "read", value: 0 };
    const reading = other(text);
    const rule = `must be 0, or a whole number from ${min} to ${max}`;
    return reading.kind === "read" ? reading : { ...reading, rule };
  };
}

/** `auto`, which stands for what is chosen at the start, or a whole number. */
export function autoOr(min: number, max: number, hint: string): Reader<number | "auto"> {
  const other = wholeNumber(min, max, hint);
  return (text) => {
    if (text === "auto") return { kind: "read", value: "auto" };
    const reading = other(text);
    const rule = `must be auto, or a whole number from ${min} to ${max}`;
    return reading.kind === "read" ? reading : { ...reading, rule };
  };
}

/** Java takes any other word than `true` for false; here a word that is neither is a mistake. */
export function flag(text: string): Reading<boolean> {
  const lower = text.toLowerCase();
  if (lower === "true" || lower === "false") return { kind: "read", value: lower === "true" };
  return { kind: "refused", rule: "must be true or false", hint: "leave it out for its default" };
}

export function yesOrNo(text: string): Reading<boolean> {
  const lower = text.toLowerCase();
  if (lower === "yes" || lower === "true") return { kind: "read", value: true };
  if (lower === "no" || lower === "false" || lower === "") return { kind: "read", value: false };
  return { kind: "refused", rule: "must be yes or no", hint: "without it, the answer is no" };
}

export function serverId(text: string): Reading<ServerId> {
  const hint = "number the nodes 1, 2, 3 as in ZooKeeper's myid";
  const reading = wholeNumber(SERVER_ID_MIN, SERVER_ID_MAX, hint)(text);
  return reading.kind === "refused" ? reading : { kind: "read", value: reading.value as ServerId };
}

export function members(text: string): Reading<readonly ServerId[]> {
  const rule = `must be different whole numbers from ${SERVER_ID_MIN} to ${SERVER_ID_MAX}, with commas between`;
  const hint = "for three nodes: 1,2,3";
  const ids: ServerId[] = [];
  for (const part of listOf(text)) {
    const reading = serverId(part);
    if (reading.kind === "refused" || ids.includes(reading.value)) {
      return { kind: "refused", rule, hint };
    }
    ids.push(reading.value);
  }
  if (ids.length === 0) return { kind: "refused", rule, hint };
  return { kind: "read", value: ids.toSorted((left, right) => left - right) };
}

/** The name becomes one token of NATS subjects, which limits its characters. */
export function ensembleName(text: string): Reading<string> {
  if (isEnsembleName(text)) return { kind: "read", value: text };
  return {
    kind: "refused",
    rule: `must be ${ENSEMBLE_NAME_RULE}`,
    hint: "it is part of every NATS subject of the ensemble",
  };
}

function isNatsUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && isNatsServer(url);
}

export function natsUrls(text: string): Reading<readonly string[]> {
  const urls = listOf(text);
  if (urls.length > 0 && urls.every(isNatsUrl)) return { kind: "read", value: urls };
  return {
    kind: "refused",
    rule: "must be URLs that begin with nats:// or tls://, with commas between",
    hint: "for example nats://127.0.0.1:4222; other characters of a password than letters and digits percent-encoded",
  };
}

export function address(text: string): Reading<string> {
  if (isIP(text) !== 0 || HOST_NAME.test(text)) return { kind: "read", value: text };
  return {
    kind: "refused",
    rule: "must be an IP address or a host name",
    hint: ":: for every interface, 127.0.0.1 for this machine only",
  };
}

/** Reads the path of a file that must exist, and makes it absolute. */
export function file(text: string): Reading<string> {
  if (text !== "" && !text.includes("\0") && existsSync(text)) {
    return { kind: "read", value: resolve(text) };
  }
  return { kind: "refused", rule: "must name a file that is there", hint: "check the path" };
}

export function folder(text: string): Reading<string> {
  if (text !== "" && !text.includes("\0")) return { kind: "read", value: resolve(text) };
  return { kind: "refused", rule: "must name a folder", hint: "it is made if it is not there" };
}

/** Whatever is written there: what can be no path at all is no folder. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** A text that is only looked at where it is used. */
export function anyText(text: string): Reading<string> {
  return { kind: "read", value: text };
}
