/** The changes of a znode, or of a subtree, as an Observable. */
import { Observable } from "rxjs/internal/Observable";
import type { ChangeEvent } from "../../protocol/changes.ts";
import type { Zxid } from "../../protocol/zxid.ts";
import { errorOfEnd } from "../failures.ts";
import type { Wire } from "../wire.ts";

export type ChangesOptions = {
  /** True: changes of all znodes below the path are delivered too. Default false. */
  readonly recursive?: boolean;
  /**
   * The stream begins with the first change after this zxid. Default: the zxid of the last read of the path through this client; if
   * there was none, the last zxid that the client has seen at all.
   */
  readonly from?: Zxid;
  /** True: `progress` events are delivered between the changes. Default false. */
  readonly progress?: boolean;
};

export function changesOf(
  wire: Wire,
  path: string,
  options: ChangesOptions,
): Observable<ChangeEvent> {
  const { recursive = false, progress = false, from: after } = options;
  return new Observable((subscriber) => {
    return wire.subscribe(
      { path, recursive, after },
      {
        portion: (changes, through, taken) => {
          for (const change of changes) subscriber.next(change);
          if (progress) subscriber.next({ kind: "progress", zxid: through });
          taken();
        },
        ended: (end) => {
          if (end.kind === "compacted") subscriber.next(end);
          const error = errorOfEnd(end);
          if (error === undefined) subscriber.complete();
          else subscriber.error(error);
        },
      },
    );
  });
}
