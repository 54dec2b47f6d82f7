/**
 * A walk over the znodes of a tree, a parent before its children and children in the order of their names. In a tree that was built again for the same
 * zxid it is gone on with by as many steps: a place is a number, since a path may be one that whoever asks is not to know.
 */
import { childOf } from "../../protocol/paths.ts";
import type { TreeState } from "../../actors/tree/state.ts";
import type { ZnodeId } from "../../actors/tree/store/znodes.ts";
import type { Glob, GlobState } from "./glob.ts";

export type Step = {
  readonly id: ZnodeId;
  readonly path: string;
  /** Without a pattern all do. */
  readonly isMatch: boolean;
};

type Level = {
  readonly id: ZnodeId;
  readonly path: string;
  /** The names of the children. A znode may have a million, so they are read when the first one is due. */
  names: readonly string[] | undefined;
  /** The next child is the one behind so many. */
  index: number;
  readonly glob: GlobState;
};

type WalkOptions = {
  readonly top: string;
  /** Nothing is walked below a znode below which nothing can match. */
  readonly glob?: Glob | undefined;
  /** How many steps are behind. Default 0. */
  readonly skipped?: number | undefined;
};

const NO_GLOB: GlobState = [];

export class Walk {
  readonly #state: TreeState;
  readonly #glob: Glob | undefined;
  readonly #levels: Level[] = [];
  #first: Step | undefined;

  /** `id`: the znode at the top. The tree stays as it is until the walk is over. */
  constructor(state: TreeState, id: ZnodeId, { top, glob, skipped = 0 }: WalkOptions) {
    this.#state = state;
    this.#glob = glob;
    const above = top === "/" ? [] : top.slice(1).split("/");
    const from = above.reduce((reached, name) => this.#stepped(reached, name), this.#start());
    this.#first = this.#enter(id, top, from);
    for (let step = 0; step < skipped && this.next() !== undefined; step += 1);
  }

  /** Undefined: that was all. */
  next(): Step | undefined {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    for (let level = this.#levels.at(-1); level !== undefined; level = this.#levels.at(-1)) {
      level.names ??= this.#state.znodes.children(level.id).sort();
      const name = level.names[level.index];
      level.index += 1;
      if (name === undefined) {
        this.#levels.pop();
        continue;
      }
      const path = childOf(level.path, name);
      const glob = this.#stepped(level.glob, name);
      const isLost = this.#glob !== undefined && glob.length === 0;
      const id = isLost ? undefined : this.#state.znodes.findChild(level.id, path);
      if (id !== undefined) return this.#enter(id, path, glob);
    }
    return undefined;
  }

  #enter(id: ZnodeId, path: string, glob: GlobState): Step {
    this.#levels.push({ id, path, names: undefined, index: 0, glob });
    return { id, path, isMatch: this.#glob?.isMatch(glob) ?? true };
  }

  #start(): GlobState {
    return this.#glob?.start ?? NO_GLOB;
  }

  #stepped(glob: GlobState, name: string): GlobState {
    return this.#glob?.step(glob, name) ?? NO_GLOB;
  }
}
