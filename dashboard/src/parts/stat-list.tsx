/** A Stat in words. */
import type { JSX } from "preact";
import type { Stat } from "../api.ts";
import { bytes, counted, duration, grouped, zxidInWords } from "../format/numbers.ts";
import { type Fact, Facts } from "./facts.tsx";

export function StatList({ stat }: { readonly stat: Stat }): JSX.Element {
  const { version, cversion, aversion, ephemeralOwner } = stat;
  const facts: readonly Fact[] = [
    ["Created", moment(stat.ctime, stat.czxid)],
    ["Value set", moment(stat.mtime, stat.mzxid)],
    ["Children changed", zxid(stat.pzxid)],
    ["Version of the value", version === 0 ? "0, as it was created" : `${grouped(version)}`],
    ["Version of the children", `${grouped(cversion)}`],
    ["Version of the list", grouped(aversion)],
    ["Children", grouped(stat.numChildren)],
    [
      "Length",
      `${counted(stat.dataLength, "byte")}${stat.dataLength < 1024 ? "" : `, ${bytes(stat.dataLength)}`}`,
    ],
    [
      "Kind",
      ephemeralOwner === null
        ? "stays until it is deleted"
        : `ephemeral: ends with session ${ephemeralOwner}`,
    ],
  ];
  return (
    <>
      <h2>Stat</h2>
      <Facts facts={facts} />
    </>
  );
}

function moment(ms: number, at: string): string {
  const ago = duration(Math.max(Date.now() - ms, 0));
  return `${new Date(ms).toLocaleString("sv")}, ${ago} ago (${zxid(at)})`;
}

function zxid(text: string): string {
  return `zxid ${text}, ${zxidInWords(text)}`;
}
