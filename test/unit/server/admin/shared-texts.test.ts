/** Texts that many readers share are made once, and nobody waits for one that is slow. */
import test from "ava";
import { SharedTexts } from "../../../../server/admin/api/shared-texts.ts";

/** Texts that come when the test says so, and how often and how long they were made. */
class Source {
  made = 0;
  ended = 0;
  #give: (text: IteratorResult<string, undefined>) => void = () => undefined;
  #fail: (error: Error) => void = () => undefined;

  async *make(signal: AbortSignal): AsyncGenerator<string, void, undefined> {
    this.made += 1;
    try {
      for (;;) {
        const { promise, resolve, reject } =
          Promise.withResolvers<IteratorResult<string, undefined>>();
        [this.#give, this.#fail] = [resolve, reject];
        const end = (): void => resolve({ done: true, value: undefined });
        signal.addEventListener("abort", end, { once: true });
        if (signal.aborted) return;
        const { done, value } = await promise;
        if (done === true) return;
        yield value;
      }
    } finally {
      this.ended += 1;
    }
  }

  async give(text: string): Promise<void> {
    this.#give({ done: false, value: text });
    await turns();
  }

  async end(): Promise<void> {
    this.#give({ done: true, value: undefined });
    await turns();
  }

  async fail(): Promise<void> {
    this.#fail(new Error("broken"));
    await turns();
  }
}

/** All that is due by then is done. */
async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

class Taker {
  readonly texts: string[] = [];
  end: string | undefined;
  readonly gone = new AbortController();

  constructor(shared: SharedTexts, source: Source, key: string = "key") {
    const reading = shared.read(key, (signal) => source.make(signal), this.gone.signal);
    const take = async (): Promise<void> => {
      for await (const text of reading) this.texts.push(text);
    };
    take().then(
      () => {
        this.end = "over";
      },
      (error: unknown) => {
        this.end = String(error);
      },
    );
  }
}

test("each reader has the first text and every one from when it begins, and all are made once", async (t) => {
  const [shared, source] = [new SharedTexts(), new Source()];
  const first = new Taker(shared, source);
  await turns();
  await source.give("a");
  await source.give("lost");
  const second = new Taker(shared, source);
  const other = new Taker(shared, new Source(), "other");
  await turns();
  await source.give("b");
  t.deepEqual([first.texts, second.texts, other.texts], [["a", "lost", "b"], ["a", "b"], []]);
  first.gone.abort();
  await turns();
  await source.give("c");
  t.deepEqual(
    [first.texts, second.texts],
    [
      ["a", "lost", "b"],
      ["a", "b", "c"],
    ],
  );
  t.deepEqual([first.end, second.end, source.made, source.ended], ["over", undefined, 1, 0]);
});

test("nothing is made once nobody reads, and it is made again for whoever comes then", async (t) => {
  const [shared, source] = [new SharedTexts(), new Source()];
  const first = new Taker(shared, source);
  await turns();
  first.gone.abort();
  await turns();
  const second = new Taker(shared, source);
  await turns();
  t.deepEqual([source.made, source.ended, second.end], [2, 1, undefined]);
  await source.give("a");
  t.deepEqual([first.texts, second.texts], [[], ["a"]]);
  second.gone.abort();
  await turns();
  t.is(source.ended, 2);
});

test("the end, or a failure, is that of each reader, and the next one begins again", async (t) => {
  const [shared, source] = [new SharedTexts(), new Source()];
  const readers = [new Taker(shared, source), new Taker(shared, source)];
  await turns();
  await source.fail();
  t.deepEqual(
    readers.map(({ end }) => end),
    ["Error: broken", "Error: broken"],
  );
  const later = new Taker(shared, source);
  await turns();
  await source.give("a");
  await source.end();
  t.deepEqual([later.texts, later.end, source.made, source.ended], [["a"], "over", 2, 2]);
});

test("a reader that takes nothing holds nobody up, and is let go", async (t) => {
  const [shared, source] = [new SharedTexts(), new Source()];
  const slow = shared.read("key", (signal) => source.make(signal), new AbortController().signal);
  const first = slow.next();
  const quick = new Taker(shared, source);
  await turns();
  const given = Array.from({ length: 40 }, (_, index) => String(index));
  for (const text of given) await source.give(text);
  t.deepEqual(quick.texts, given);
  t.is((await first).value, "0");
  const rest: string[] = [];
  for await (const text of slow) rest.push(text);
  t.deepEqual(rest, given.slice(1, 18), "those that could wait");
  t.is(quick.end, undefined);
});
