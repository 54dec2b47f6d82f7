/** The request multiRead and its reply: several reads in one, each with a result of its own. Source: ZooKeeper's MultiOperationRecord. */
import { Code } from "../codes.ts";
import type { JuteReader } from "../jute.ts";
import type { MemberRead, Read } from "../reads.ts";
import { OpCode } from "./codes.ts";
import { readPath } from "./null-paths.ts";

/** Reads the members, each after a MultiHeader {type, done, err}, up to the header that is `done`. */
export function readMultiRead(reader: JuteReader): Read | Code {
  const reads: MemberRead[] = [];
  for (;;) {
    const opCode = reader.int32();
    const done = reader.bool();
    reader.int32();
    if (done || reader.fault !== undefined) return { kind: "multiRead", reads };
    if (opCode !== OpCode.getData && opCode !== OpCode.getChildren) return Code.marshallingError;
    const kind = opCode === OpCode.getData ? "getData" : "getChildren";
    const path = readPath(reader);
    // ZooKeeper sets no watch for a member, whatever it asks.
    reader.bool();
    reads.push({ kind, path, watch: false });
  }
}
