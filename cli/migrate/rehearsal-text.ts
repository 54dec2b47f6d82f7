/** A rehearsal in words. */
import { counted, grouped } from "../counted.ts";
import { DIFFERENCES } from "./report.ts";
import type { DifferenceKind } from "./difference.ts";
import type { Rehearsal } from "./rehearsal.ts";

const LABEL_WIDTH = 18;
const KIB = 1024;

export function rehearsalLines(of: Rehearsal): readonly string[] {
  const line = (label: string, text: string): string => `${label.padEnd(LABEL_WIDTH)}${text}`;
  const schemes = Object.entries(of.schemes).map(
    ([scheme, count]) => `${scheme} ${grouped(count)}`,
  );
  const differences = Object.entries(of.differences) as [DifferenceKind, number][];
  return [
    line("znodes", `${grouped(of.znodes)}, ${grouped(Math.ceil(of.bytes / KIB))} KiB of data`),
    line("ephemerals", `${grouped(of.ephemerals)}, left to their clients`),
    line("containers", `${grouped(of.containers)}${unknownText(of)}`),
    line("TTLs", `${grouped(of.ttls)}${unknownText(of)}`),
    line("lists", `${schemes.join(", ")}; ${counted(of.identities, "identity", "identities")}`),
    line(
      "counters",
      `${counted(of.counters, "parent")}, about ${counted(of.raises, "create")} to raise them`,
    ),
    line("versions", `about ${counted(of.sets, "set")} of data to raise them`),
    line("quotas", grouped(of.quotas)),
    line("at the target", `${grouped(of.present)} of these znodes, ${counted(of.extras, "other")}`),
    line("zxids", zxidText(of)),
    ...differences.map(([kind, count]) => {
      const examples = of.examples[kind]?.join(" ") ?? "";
      return line(kind, `${grouped(count)}: ${DIFFERENCES[kind]}, as ${examples}`);
    }),
    ...of.unknownSchemes.map((scheme) =>
      line("scheme", `${scheme} is one of a plugin: the target may refuse it`),
    ),
  ];
}

function unknownText({ lifetimesUnknown }: Rehearsal): string {
  if (lifetimesUnknown === 0) return "";
  const of = counted(lifetimesUnknown, "znode");
  return ` known; ZooKeeper's protocol does not tell it of ${of}: see --lifetimes-from`;
}

function zxidText({ sourceZxid, targetZxid }: Rehearsal): string {
  const isBehind = Number(targetZxid) < Number(sourceZxid);
  const warning = isBehind ? ": the target's are smaller, so fences made of zxids go back" : "";
  return `${sourceZxid} at the source, ${targetZxid} at the target${warning}`;
}
