/**
 * A user of the client follows live copies (`client/streams/`): of a value, of children, of a tree. Whatever fails meanwhile, each view is
 * what the model has at the view's zxid, none is left out where there is no gap, and at last the copy is what there is.
 */
import { SessionExpiredError } from "../../../protocol/errors.ts";
import type { Sink } from "../../../client/streams/change-stream.ts";
import { childrenFeed } from "../../../client/streams/children.ts";
import type { Source } from "../../../client/streams/source.ts";
import { treeFeed } from "../../../client/streams/tree.ts";
import { valueFeed } from "../../../client/streams/value.ts";
import { CopyChecks, type CopiedValue, type LastView } from "../checks/copies.ts";
import type { Truth } from "../checks/truth.ts";
import { must } from "../checks/violation.ts";
import type { Random } from "../random.ts";
import type { SimWho } from "./identities.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";

const FOLLOWED = ["/k", "/q0", "/e"] as const;
const VALUES = ["/k/0", "/k/1", "/q0"] as const;
const KINDS = ["tree", "tree", "children", "value"] as const;
const VIEWS_MAX = 2;
/** How often all of a tree is compared, and not only what is said to differ. */
const WHOLE_SHARE = 0.05;

type View = {
  readonly path: string;
  readonly close: () => void;
  last: LastView | undefined;
  stopped: boolean;
};

export type ViewsOptions = {
  readonly truth: Truth;
  readonly random: Random;
  readonly reader: SimWho;
  /** Streams tell every change, so that each view is what there was at its zxid. */
  readonly everyChange: boolean;
  readonly subscriber: Omit<SubscriberOptions, "stops" | "random" | "window">;
};

export class LiveViews {
  readonly #who: string;
  readonly #options: ViewsOptions;
  readonly #views = new Set<View>();
  readonly #checks: CopyChecks;

  constructor(who: string, options: ViewsOptions) {
    this.#who = who;
    this.#options = options;
    const { truth, reader, everyChange } = options;
    this.#checks = new CopyChecks(who, truth.model, { reader, everyChange });
  }

  /** Opens another one, or leaves one for another later. */
  turn(source: Source): void {
    const [first] = this.#views;
    if (first === undefined || this.#views.size < VIEWS_MAX) {
      this.#open(source);
      return;
    }
    this.#views.delete(first);
    first.close();
  }

  /** The session is over. */
  clear(): void {
    this.#views.clear();
  }

  /** Those that are taken are what there is. */
  get complete(): boolean {
    const { latest } = this.#options.truth;
    const checks = this.#checks;
    return [...this.#views].every(
      (view) => view.stopped || checks.isRight(view.path, view.last, latest),
    );
  }

  #open(source: Source): void {
    const { random } = this.#options;
    const kind = random.pick(KINDS);
    const path = random.pick(kind === "value" ? VALUES : FOLLOWED);
    let close: () => void = () => undefined;
    const view: View = { path, close: () => close(), last: undefined, stopped: false };
    this.#views.add(view);
    const checks = this.#checks;
    switch (kind) {
      case "tree":
        close = treeFeed(
          source,
          path,
          {},
        )(
          this.#sink(view, (now) => {
            checks.tree(path, view.last, now, random.chance(WHOLE_SHARE));
            view.last = { kind, view: now };
          }),
        );
        return;
      case "children":
        close = childrenFeed(
          source,
          path,
        )(
          this.#sink(view, (now) => {
            checks.children(path, view.last, now);
            view.last = { kind, view: now };
          }),
        );
        return;
      case "value": {
        const feed = valueFeed(source, path, (data, stat): CopiedValue => ({ data, stat }));
        close = feed(
          this.#sink(view, (value) => {
            checks.value(path, view.last, value);
            view.last = { kind, value };
          }),
        );
        return;
      }
      default:
        kind satisfies never;
    }
  }

  #sink<T>(view: View, check: (item: T) => void): Sink<T> {
    const { random, subscriber: options } = this.#options;
    const subscriber = new Subscriber(`${this.#who}: a copy of ${view.path}`, {
      ...{ ...options, random },
      // Before it is told of a gap it is given all that there still is, and does not say where the gap was.
      window: Number.POSITIVE_INFINITY,
      stops: () => {
        view.stopped = true;
      },
    });
    return {
      given: ({ items, changes }, taken) => {
        for (const item of items) check(item);
        subscriber.given(changes, taken);
      },
      failed: (error) => {
        this.#views.delete(view);
        const isOver = error instanceof SessionExpiredError || error.name === "ClosedError";
        must(isOver, "live copies", () => `${this.#who}: of ${view.path}: ${String(error)}`);
      },
    };
  }
}
