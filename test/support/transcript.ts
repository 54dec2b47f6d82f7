/**
 * What clients saw, as lines of text that are equal for servers that behave alike. What may differ is replaced by how it relates:
 * - zxids become their rank among the zxids that the transcript shows (Z1 < Z2 < ...). A reply's header zxid is shown for
 *   writes only: on a read it is whatever the server applied last, sessions of others included.
 *   Nor on a write that was refused for how it was asked (MarshallingError, Unimplemented, BadArguments): not every server logs those.
 * - session ids become the name that the scenario gave to the client.
 * - the header zxid of a watch event is not shown: -1 before ZooKeeper 3.9, the change's zxid since (ZOOKEEPER-4655).
 */
import type { Received } from "./zookeeper-client/client.ts";
import type { Text } from "./zookeeper-client/operations.ts";

export type Line = Text;

const EVENTS = new Map([
  [1, "NodeCreated"],
  [2, "NodeDeleted"],
  [3, "NodeDataChanged"],
  [4, "NodeChildrenChanged"],
]);

/** MarshallingError, Unimplemented and BadArguments. */
const REFUSED: readonly number[] = [-5, -6, -8];

export function lineOf(entry: Received): Line {
  switch (entry.kind) {
    case "closed":
      return ["closed"];
    case "event":
      return [`event ${EVENTS.get(entry.type) ?? entry.type} state=${entry.state} ${entry.path}`];
    case "reply": {
      const outcome: Text = entry.code === 0 ? entry.text : [`error ${entry.code}`, ...entry.text];
      const logged = entry.write && !REFUSED.includes(entry.code);
      const zxid: Text = logged ? [" at ", { kind: "zxid", value: entry.zxid }] : [];
      return [entry.label, " -> ", ...outcome, ...zxid];
    }
  }
}

export function render(lines: readonly Line[], sessions: ReadonlyMap<bigint, string>): string[] {
  const zxids = new Set<bigint>();
  for (const part of lines.flat()) {
    if (typeof part !== "string" && part.kind === "zxid" && part.value !== 0n)
      zxids.add(part.value);
  }
  const sorted = [...zxids].sort((left, right) => (left < right ? -1 : 1));
  const ranks = new Map(sorted.map((zxid, index) => [zxid, `Z${index + 1}`]));
  const show = (part: Text[number]): string => {
    if (typeof part === "string") return part;
    if (part.kind === "session") return sessions.get(part.value) ?? "a session of another";
    return part.value === 0n ? "Z0" : (ranks.get(part.value) ?? "Z?");
  };
  return lines.map((line) => line.map(show).join(""));
}
