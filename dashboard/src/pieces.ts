/** What comes out of a stream, piece by piece. A loop that is left early cancels the stream. */

/** In the place of `for await` over the stream itself, which Safari does not have, nor Chrome before 124. Throws what the stream fails with. */
export async function* piecesOf<Piece>(
  stream: ReadableStream<Piece>,
): AsyncGenerator<Piece, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
