export type Streams = Record<string, never>;
export function newStreams(): Streams {
  return {};
}
