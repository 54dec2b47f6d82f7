/** What a stream asks servers for. */
export type StreamAsk = { readonly stream: number };
