/** Answers that are shared are never older than the question. */
import test from "ava";
import { FreshAnswers } from "../../../../server/admin/api/shared-answer.ts";

test("whoever asks while an answer is made shares the next one, which begins behind it", async (t) => {
  const answers = new FreshAnswers<number>();
  const made: PromiseWithResolvers<number>[] = [];
  const ask = (key: string): Promise<number> =>
    answers.get(key, () => {
      const one = Promise.withResolvers<number>();
      made.push(one);
      return one.promise;
    });
  const first = ask("a");
  const [second, third] = [ask("a"), ask("a")];
  const other = ask("b");
  t.is(made.length, 2, "one for each that is asked for");
  made[1]?.resolve(7);
  t.is(await other, 7);
  made[0]?.resolve(1);
  t.is(await first, 1);
  // It came behind the first answer, and before the next one has begun.
  const fourth = ask("a");
  await new Promise((resolve) => setImmediate(resolve));
  t.is(made.length, 3);
  made[2]?.resolve(2);
  t.deepEqual(await Promise.all([second, third, fourth]), [2, 2, 2]);
});

test("a failure is that of those who share it, and nobody else's", async (t) => {
  const answers = new FreshAnswers<number>();
  const first = answers.get("a", () => Promise.reject(new Error("first")));
  const next = answers.get("a", () => Promise.resolve(2));
  await t.throwsAsync(first, { message: "first" });
  t.is(await next, 2);
  t.is(await answers.get("a", () => Promise.resolve(3)), 3);
});
