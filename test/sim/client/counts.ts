/** What the clients of a run count. */
import type { ClientCounts } from "./environment.ts";

export function newClientCounts(): ClientCounts {
  return {
    ...{ acknowledged: 0, refused: 0, repeated: 0, reads: 0, events: 0, sessions: 0 },
    ...{ expired: 0, readOnly: 0, outlived: 0, reconnects: 0, hogs: 0 },
  };
}
