/** What log-sync says of who leads, for tests of actors that hear it. */
import { type Leadership, NO_LEADERSHIP } from "../../protocol/replication.ts";

export function leading(change: Partial<Leadership> = {}): Leadership {
  return { ...NO_LEADERSHIP, role: "leading", ...change };
}

export function looking(): Leadership {
  return NO_LEADERSHIP;
}
