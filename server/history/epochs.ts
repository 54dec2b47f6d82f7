/** Which zxids there are: those of an epoch follow each other, and between the last of one and the first of the next there are billions that are none. */
import { firstPrevZxid, scanSegment } from "../../actors/log/format/scan.ts";
import { segmentZxid } from "../../actors/log/format/files.ts";
import type { Procedure } from "../../actors/log/format/procedure.ts";
import type { Crc32 } from "../../protocol/record.ts";
import { epochOf, type Zxid } from "../../protocol/zxid.ts";
import { segmentsAfter, unlessUnreadable } from "../offline/log-files.ts";
import type { Retained } from "./retained.ts";

/** The first zxid of one epoch that is kept, and the last. */
export type EpochSpan = { readonly from: Zxid; readonly to: Zxid };

/** The epochs from where what is kept begins. Only segments in which an epoch has ended are read. */
export function* epochsOf(
  { starts: [{ zxid: begin }], segments, to }: Retained,
  crc32: Crc32,
): Procedure<readonly EpochSpan[]> {
  const spans: { readonly from: Zxid; to: Zxid }[] = [{ from: begin, to: begin }];
  const note = (zxid: Zxid): void => {
    const last = spans.at(-1);
    if (zxid > to || last === undefined || zxid <= last.to) return;
    if (epochOf(last.to) === epochOf(zxid)) last.to = zxid;
    else spans.push({ from: zxid, to: zxid });
  };
  const { files } = yield* segmentsAfter(segments, begin, crc32);
  for (const [index, { file, size }] of files.entries()) {
    const first = segmentZxid(file);
    note(first);
    const next = files[index + 1];
    const behind = next === undefined ? to : segmentZxid(next.file);
    if (epochOf(first) === epochOf(behind)) {
      if (next !== undefined) note((behind - 1) as Zxid);
      continue;
    }
    const lastZxid = yield* unlessUnreadable(firstPrevZxid(file, crc32));
    if (lastZxid === undefined) continue;
    yield* scanSegment({ file, size, lastZxid }, crc32, (record) => {
      note(record.firstZxid);
      note(record.lastZxid);
    });
  }
  note(to);
  return spans;
}
