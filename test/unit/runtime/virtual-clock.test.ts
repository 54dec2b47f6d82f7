/** Virtual time and seeded chance. */
import test from "ava";
import fc from "fast-check";
import { SeededRandomness, VirtualClock } from "../../../runtime/testing/virtual-clock.ts";

test("events run in order of time, those of one time in order of their making", (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
      const clock = new VirtualClock();
      const ran: { readonly delay: number; readonly made: number }[] = [];
      delays.forEach((delay, made) => {
        clock.after(delay, () => ran.push({ delay, made }));
      });
      clock.advance(20);
      const expected = delays
        .map((delay, made) => ({ delay, made }))
        .sort((a, b) => a.delay - b.delay || a.made - b.made);
      t.deepEqual(ran, expected);
    }),
  );
});

test("a cancelled event does not run, and time stands where it was told to", (t) => {
  const clock = new VirtualClock();
  let ran = 0;
  const cancel = clock.after(5, () => {
    ran += 1;
  });
  clock.after(6, () => {
    ran += 10;
  });
  cancel();
  clock.advance(5.5);
  t.is(ran, 0);
  t.is(clock.nowMs(), 5.5);
  clock.advance(1);
  t.is(ran, 10);
});

test("the same seed draws the same numbers, another seed others, all of them in [0, 1)", (t) => {
  const draw = (seed: number): number[] => {
    const chance = new SeededRandomness(seed);
    return Array.from({ length: 1000 }, () => chance.random());
  };
  t.deepEqual(draw(42), draw(42));
  t.notDeepEqual(draw(42), draw(43));
  const numbers = draw(7);
  t.true(numbers.every((number) => number >= 0 && number < 1));
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  t.true(Math.abs(mean - 0.5) < 0.05);
});
