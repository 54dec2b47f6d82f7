/** What an inspection prints, line by line: for people, or one JSON object a line for programs. */
import type { Operation } from "../../protocol/operations.ts";
import type { RecordHeader } from "../../protocol/record.ts";
import { formatZxid, type Zxid } from "../../protocol/zxid.ts";
import { type Finding, findingText, type Look } from "./findings.ts";
import { operationJson, operationLines } from "./operations.ts";
import { timeText } from "../../server/offline/time-text.ts";
import { lookText } from "./text.ts";

export type ListedRecord = {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly header: RecordHeader;
};

export type Output = {
  look(path: string, look: Look, pid: number | undefined): readonly string[];
  record(record: ListedRecord): string;
  operation(zxid: Zxid, operation: Operation): readonly string[];
  /** Returns the last lines: what is wrong, or that nothing is. */
  verdict(look: Look): readonly string[];
};

export const textOutput: Output = {
  look: lookText,
  record: ({ file, offset, bytes, header }) => {
    const { kind, firstZxid, lastZxid, timeMs, submitter, seq } = header;
    const range =
      firstZxid === lastZxid
        ? formatZxid(firstZxid)
        : `${formatZxid(firstZxid)}-${formatZxid(lastZxid)}`;
    const from =
      submitter === undefined
        ? "leader"
        : `node=${submitter.server} lane=${submitter.lane} incarnation=${submitter.incarnation} seq=${seq}`;
    const by = kind === "batch" ? from : kind;
    return `${range} ${timeText(timeMs)} ${by} bytes=${bytes} ${file} offset=${offset}`;
  },
  operation: (zxid, operation) =>
    operationLines(operation).map((line, index) =>
      index === 0 ? `  ${formatZxid(zxid)} ${line}` : `  ${line}`,
    ),
  verdict: ({ problems, notices }) => {
    const noticed = notices.map((notice) => `note: ${findingText(notice)}`);
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    const last = problems.length === 0 ? ["ok"] : [`${count}:`, ...problems.map(findingText)];
    return [...noticed, ...last];
  },
};

export const jsonOutput: Output = {
  look: (path, look, pid) => {
    const { identity, incarnation, promise, voteLoss, baseZxid, lastZxid } = look;
    const folder = {
      kind: "folder",
      path,
      node: identity?.server,
      ensemble: identity?.ensemble,
      formatVersion: identity?.version,
      identity: identity?.own?.identity,
      members: identity?.own?.members,
      configuration: identity?.own?.configuration,
      incarnation,
      promise,
      withoutVote: voteLoss,
      log: { afterZxid: baseZxid, lastZxid },
      runningPid: pid,
    };
    return [
      json(folder),
      ...look.segments.map((segment) => json({ kind: "segment", ...segment })),
      ...look.snapshots.map((snapshot) => json({ kind: "snapshot", ...snapshot })),
      ...look.others.map((other) => json({ kind: "file", ...other })),
    ];
  },
  record: ({ file, offset, bytes, header }) => {
    const { kind, ...fields } = header;
    return json({ kind: "record", record: kind, file, offset, bytes, ...fields });
  },
  operation: (zxid, operation) => [json({ kind: "operation", zxid, ...operationJson(operation) })],
  verdict: ({ problems, notices }) => [
    ...notices.map((finding) => findingJson("notice", finding)),
    ...problems.map((finding) => findingJson("problem", finding)),
    json({ kind: "verdict", ok: problems.length === 0, problems: problems.length }),
  ],
};

function findingJson(as: "problem" | "notice", { kind, ...where }: Finding): string {
  return json({ kind: as, finding: kind, ...where });
}

/** Encodes a value as JSON. Zxids are texts, as ZooKeeper writes them: many readers of JSON would lose digits of large numbers. */
function json(value: object): string {
  return JSON.stringify(value, (name, field: unknown) =>
    (name === "zxid" || name.endsWith("Zxid")) && typeof field === "number"
      ? formatZxid(field as Zxid)
      : field,
  );
}
