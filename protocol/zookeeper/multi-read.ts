/** The request multiRead and its reply: several reads in one, each with a result of its own. Source: ZooKeeper's MultiOperationRecord. */
import { Code } from "../codes.ts";
import type { JuteReader } from "../jute.ts";
import type { MemberRead, Read } from "../reads.ts";
import { OpCode } from "./codes.ts";
import { readListChildren } from "./keeper-requests.ts";
import { readPath } from "./null-paths.ts";

/**
 * Reads the members, each after a MultiHeader {type, done, err}, up to the header that is `done`. Clients of ClickHouse Keeper ask for more
 * than ZooKeeper answers, and for watches.
 */
export function readMultiRead(reader: JuteReader, keeper: boolean): Read | Code {
  const reads: MemberRead[] = [];
  for (;;) {
    const opCode = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (done || reader.fault !== undefined) return { kind: "multiRead", reads };
    if (opCode === OpCode.filteredList || opCode === OpCode.filteredListWithStatsAndData) {
      reads.push(readListChildren(reader, opCode));
      continue;
    }
    const kind = memberKind(opCode, keeper);
    if (kind === undefined) return Code.marshallingError;
    const path = readPath(reader);
    const watch = reader.bool();
    // ZooKeeper sets no watch for a member, whatever it asks.
    reads.push({ kind, path, watch: watch && keeper });
  }
}

function memberKind(
  opCode: number,
  keeper: boolean,
): "getData" | "getChildren" | "exists" | undefined {
  if (opCode === OpCode.getData) return "getData";
  if (opCode === OpCode.getChildren) return "getChildren";
  return keeper && opCode === OpCode.exists ? "exists" : undefined;
}
