/** What streams ask servers for. */
export type StreamAsk = { readonly kind: "watch" | "unwatch" | "sync" } | Look;

/** `round` tells answers from those to what was asked before the connection was lost. */
export type Look = {
  /**
   * `absence` waits for a znode that is not there, with a watch that fires once. `ancestor`: whether znodes may have been deleted at the
   * root of the stream before it began.
   */
  readonly kind: "data" | "children" | "absence" | "ancestor";
  readonly stream: number;
  readonly round: number;
  readonly path: string;
};
