/** Messages between the simulated threads of a node. */
import test from "ava";
import { VirtualClock } from "../../runtime/testing/virtual-clock.ts";
import type { Letter } from "../../runtime/system.ts";
import { Random } from "./random.ts";
import { ThreadLink } from "./threads.ts";

type Numbers = { readonly numbers: number[] };

/** What arrives of a message whose sender changes it after it was posted. */
function arrived(copies: boolean): readonly number[] {
  const clock = new VirtualClock();
  let got: readonly number[] = [];
  const inlet = {
    receive: (letters: readonly Letter[]) => {
      const [letter] = letters;
      if (letter !== undefined) got = (letter.message as Numbers).numbers;
    },
  };
  const delayMs = { min: 1, max: 1 };
  const link = new ThreadLink({
    clock,
    random: new Random(1),
    delayMs,
    inlet,
    announce: () => undefined,
    copies,
  });
  const message: Numbers = { numbers: [1] };
  link.post([{ to: "somebody", message }]);
  message.numbers.push(2);
  clock.advance(10);
  return got;
}

test("a copied message arrives as it was posted, whatever its sender does with it afterwards", (t) => {
  t.deepEqual(arrived(true), [1]);
});

test("a message that is not copied is its sender's own, so what the sender changes is seen", (t) => {
  t.deepEqual(arrived(false), [1, 2]);
});
