/** The numbered writes of sessions, as they are committed: each number is done once, and they rise. */
import { formatZxid, type Zxid } from "../../../protocol/zxid.ts";
import { must } from "./violation.ts";

/** What became of a write that its client says again. `notDone`: it was passed over, and will never be done. */
export type Earlier = { readonly kind: "done"; readonly zxid: Zxid } | { readonly kind: "notDone" };

export class Numbered {
  readonly #sessions = new Map<number, { readonly number: number; readonly zxid: Zxid }[]>();

  /** A write with this number was done: its session was there, and attached where it came from. */
  done(session: number, number: number, zxid: Zxid): void {
    const all = this.#sessions.get(session) ?? [];
    this.#sessions.set(session, all);
    const last = all.at(-1)?.number ?? 0;
    must(number > last, "exactly once", () => {
      const name = `session 0x${session.toString(16)}`;
      return `${name}: write ${number} is done at ${formatZxid(zxid)}, after write ${last}`;
    });
    all.push({ number, zxid });
  }

  /** What became of it before the session was attached at this zxid; undefined: nothing yet. */
  before(session: number, number: number, attachedAt: number): Earlier | undefined {
    const all = (this.#sessions.get(session) ?? []).filter(({ zxid }) => zxid < attachedAt);
    const found = all.find((each) => each.number === number);
    if (found !== undefined) return { kind: "done", zxid: found.zxid };
    return (all.at(-1)?.number ?? 0) > number ? { kind: "notDone" } : undefined;
  }
}
