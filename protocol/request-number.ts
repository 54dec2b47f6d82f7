/**
 * The number of a native client's request, by which a session's replicated state knows which of its writes were done. Numbers rise within
 * a session; ZooKeeper's clients have none.
 */
export type RequestNumber = {
  readonly number: number;
  /** The client waits for no answer to a request with this number or a smaller one: their results need not be kept. */
  readonly answered: number;
};
