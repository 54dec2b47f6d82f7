/** What a command says of a backup, or of what it has restored, as text and as JSON. */
import type { TreeState } from "../../actors/tree/state.ts";
import { formatZxid, epochOf, type Zxid } from "../../protocol/zxid.ts";
import { timeText } from "../../server/offline/time-text.ts";
import { sizeText } from "../inspect/text.ts";
import type { BackupEnd, Manifest } from "./file/manifest.ts";

export type Fact = readonly [name: string, value: string | number | null];

export function manifestFacts(manifest: Manifest): readonly Fact[] {
  const { origin, zooid, madeAt, ensemble, ensembleId, node, snapshotZxid, zxid } = manifest;
  return [
    ["origin", origin === "zooid" ? `zooid ${zooid}` : "Apache ZooKeeper"],
    ["madeAt", madeAt.toISOString()],
    ["ensemble", ensemble ?? null],
    ["ensembleId", ensembleId ?? null],
    ["node", node ?? null],
    ["zxid", formatZxid(zxid)],
    ["epoch", epochOf(zxid)],
    ["fromZxid", formatZxid(snapshotZxid)],
  ];
}

export function endFacts({ chunks, records, bytes, sha256 }: BackupEnd): readonly Fact[] {
  return [
    ["chunks", chunks],
    ["records", records],
    ["bytes", bytes],
    ["sha256", sha256],
  ];
}

export function stateFacts({ znodes, sessions, lastTimeMs }: TreeState): readonly Fact[] {
  return [
    ["znodes", znodes.size],
    ["ephemerals", znodes.ephemerals],
    ["dataBytes", znodes.dataBytes],
    ["sessions", sessions.size],
    ["asOf", timeText(lastTimeMs)],
  ];
}

/** One fact a line, or one JSON object. */
export function factLines(facts: readonly Fact[], json: boolean): readonly string[] {
  if (json) return [JSON.stringify(Object.fromEntries(facts))];
  const shown = facts.filter(([, value]) => value !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${valueText(name, value)}`);
}

function valueText(name: string, value: string | number | null): string {
  return name.toLowerCase().endsWith("bytes") ? sizeText(Number(value)) : String(value);
}

/** Which moment was restored, and where the new ensemble begins. */
export function restoredFacts(restored: Zxid, begins: Zxid): readonly Fact[] {
  return [
    ["restoredZxid", formatZxid(restored)],
    ["beginsAtZxid", formatZxid(begins)],
  ];
}
