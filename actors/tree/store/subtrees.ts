/**
 * How many znodes are below each parent, and the bytes of their data. This is kept up with each change, so that nobody ever has to count:
 * a change walks up to the root, which takes as many steps as the path has names, as finding the znode did
 * (docs/decisions/0040-bounded-counts.md).
 */
import { type Families, type Family, FAMILY_NONE } from "./families.ts";
import { ROW_NONE, type Rows } from "./rows.ts";

/** In which columns of a row a znode has its parent and its family. */
type SubtreeColumns = { readonly parent: number; readonly family: number };

export class Subtrees {
  readonly #rows: Rows;
  readonly #families: Families;
  readonly #parent: number;
  readonly #family: number;

  constructor(rows: Rows, families: Families, { parent, family }: SubtreeColumns) {
    this.#rows = rows;
    this.#families = families;
    this.#parent = parent;
    this.#family = family;
  }

  /** Counts znodes that have come to or gone from below this one, which is their parent or above it, and the bytes of their data. */
  add(parent: number, count: number, bytes: number): void {
    const rows = this.#rows;
    const families = this.#families;
    for (let above = parent; above !== ROW_NONE; above = rows.word(above, this.#parent)) {
      const family = rows.word(above, this.#family);
      families.setBelow(family, families.below(family) + count);
      if (bytes !== 0) families.setBytesBelow(family, families.bytesBelow(family) + bytes);
    }
  }

  /** How many znodes are below this one. */
  count(znode: number): number {
    const family = this.#familyOf(znode);
    return family === FAMILY_NONE ? 0 : this.#families.below(family);
  }

  /** The bytes of the data of all znodes below this one. */
  bytes(znode: number): number {
    const family = this.#familyOf(znode);
    return family === FAMILY_NONE ? 0 : this.#families.bytesBelow(family);
  }

  #familyOf(znode: number): Family {
    return this.#rows.word(znode, this.#family);
  }
}
