/** What a path that is null means. */
import type { JuteReader } from "../jute.ts";

/** A path that is null is a fault where ZooKeeper's server fails over it. */
export function readPath(reader: JuteReader): string {
  return reader.string() ?? failOverNull(reader);
}

export function failOverNull(reader: JuteReader): "" {
  reader.fail("a path is null");
  return "";
}
