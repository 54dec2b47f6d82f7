/** Streams as the page reads them. */
import test from "ava";
import { piecesOf } from "../../../dashboard/src/pieces.ts";

function endless(cancelled: string[]): ReadableStream<number> {
  let at = 0;
  return new ReadableStream({
    pull: (to) => to.enqueue(at++),
    cancel: () => void cancelled.push("cancelled"),
  });
}

test("a loop over a stream has its pieces, and one that is left cancels the stream", async (t) => {
  const cancelled: string[] = [];
  const seen: number[] = [];
  for await (const piece of piecesOf(endless(cancelled))) {
    seen.push(piece);
    if (piece === 2) break;
  }
  t.deepEqual([seen, cancelled], [[0, 1, 2], ["cancelled"]]);
});

test("a loop that throws cancels the stream, and ends with what was thrown", async (t) => {
  const cancelled: string[] = [];
  const looped = (async () => {
    for await (const piece of piecesOf(endless(cancelled))) throw new Error(`no use of ${piece}`);
  })();
  await t.throwsAsync(looped, { message: "no use of 0" });
  t.deepEqual(cancelled, ["cancelled"]);
});

test("a loop ends with its stream, and fails with it", async (t) => {
  const seen: string[] = [];
  for await (const piece of piecesOf(new Blob(["a"]).stream().pipeThrough(new TextDecoderStream())))
    seen.push(piece);
  t.deepEqual(seen, ["a"]);
  const failing = new ReadableStream<string>({ start: (to) => to.error(new Error("torn")) });
  await t.throwsAsync(piecesOf(failing).next(), { message: "torn" });
});
