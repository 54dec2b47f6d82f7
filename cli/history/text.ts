/** What commands say of the past, for people: one line for each change or difference. */
import type { Stat } from "../../client/connect.ts";
import { dataText, word } from "../inspect/operations.ts";
import type { Json } from "./source.ts";

/** A line for a change as the API tells it. */
export function changeLine(change: Json): string {
  const { kind, path, zxid, time, base64 } = change;
  const stat = statOf(change["stat"]);
  const value = base64 === undefined ? "" : ` ${dataText(bytesOf(base64 as string | null))}`;
  const size = kind === "acl" ? "" : ` ${sizeText(stat)}`;
  return `${String(zxid)} ${String(time)} ${KINDS[String(kind)] ?? String(kind)} ${word(String(path))}${value}${size} ${byText(change["by"] as Json)}`;
}

const KINDS: Readonly<Record<string, string>> = { data: "set", acl: "set-acl" };

function sizeText({ version, dataLength }: Stat): string {
  return `version=${version} bytes=${dataLength}`;
}

/** Who has done it, as far as it is known. */
function byText(by: Json): string {
  const identities = by["identities"] as readonly {
    readonly scheme: string;
    readonly id: string;
  }[];
  const texts = identities.map(({ scheme, id }) => word(`${scheme}:${id}`));
  const known: readonly (readonly [string, unknown])[] = [
    ["by", by["operation"]],
    ["session", by["session"]],
    ["address", by["address"]],
    ["as", texts.length === 0 ? null : texts.join(",")],
    ["node", by["node"]],
  ];
  return known
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}

/** A line for a difference. A znode that is gone is shown as it was. */
export function differenceLine(difference: Json): string {
  const { kind, path, what } = difference;
  const [before, after] = [thenOf(difference["before"]), thenOf(difference["after"])];
  const start = `${String(kind)} ${word(String(path))}`;
  if (before === undefined) return `${start} ${after === undefined ? "" : sizeText(after)}`;
  if (after === undefined) return `${start} ${sizeText(before)}`;
  const versions = `version=${before.version}..${after.version} bytes=${before.dataLength}..${after.dataLength}`;
  return `${start} ${(what as readonly string[]).join(",")} ${versions}`;
}

function thenOf(then: unknown): Stat | undefined {
  return then === null ? undefined : statOf((then as Json)["stat"]);
}

/** The API tells zxids and sessions as text. */
export function statOf(stat: unknown): Stat {
  const { czxid, mzxid, pzxid, ephemeralOwner, ...numbers } = stat as Record<string, unknown>;
  const zxids = { czxid: Number(czxid), mzxid: Number(mzxid), pzxid: Number(pzxid) };
  const owner = ephemeralOwner === null ? 0 : Number(ephemeralOwner);
  return { ...numbers, ...zxids, ephemeralOwner: owner } as unknown as Stat;
}

export function bytesOf(base64: string | null): Uint8Array | null {
  return base64 === null ? null : Buffer.from(base64, "base64");
}
