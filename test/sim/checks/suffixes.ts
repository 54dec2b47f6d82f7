/** The names that creates of sequential znodes have been given. */
import { parentOf } from "../../../protocol/paths.ts";
import { must } from "./violation.ts";

/** What takes back what a multi did that is refused; undefined outside of one. */
type Undo = (() => void)[] | undefined;

export class Suffixes {
  /** Maps what a client asked for to the last name that it was given. */
  readonly #last = new Map<string, string>();

  /** Checks that names only grow: as long as their parent lives none is given out twice, even after its znode was deleted. */
  given(prefix: string, path: string, undo: Undo): void {
    const before = this.#last.get(prefix);
    const text = (): string => `${path} after ${before}`;
    must(before === undefined || before < path, "sequential names", text);
    this.#last.set(prefix, path);
    undo?.push(() => {
      if (before === undefined) this.#last.delete(prefix);
      else this.#last.set(prefix, before);
    });
  }

  /** The next znode at the path of one that is deleted counts from the beginning. */
  forget(parent: string, undo: Undo): void {
    for (const [prefix, last] of this.#last) {
      if (parentOf(prefix) !== parent) continue;
      this.#last.delete(prefix);
      undo?.push(() => this.#last.set(prefix, last));
    }
  }
}
