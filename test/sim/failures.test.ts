/**
 * Whoever outlives a failure of its own goes on: each such actor fails over every message that it takes, before its step, after it,
 * and at an effect of it, in an ensemble at work. Nothing acknowledged is lost, and no lane, session or answer stays amiss.
 */
import test from "ava";
import { namesOf } from "./failures/actors.ts";
import { casesOf, oneOfEach, playFailures } from "./failures/play.ts";
import { playStops } from "./failures/stops.ts";
import { KEEPS_STATE, SURVIVORS } from "./failures/survivors.ts";

/** Whether every message fails at each of the three points (docs/internals/testing.md); else every fifth one at one of them. */
const IS_WHOLE: boolean = process.env["ZOOID_TEST_FAILURES"] === "all";
/** With these every message comes in time when it is brought about. */
const SEED = IS_WHOLE ? 1 : 3;

test("every actor that outlives its failures is among those that fail here, and every other stops its node", (t) => {
  t.deepEqual(namesOf("restart", "recover").toSorted(), SURVIVORS.toSorted());
  t.deepEqual(namesOf("recover").toSorted(), [...KEEPS_STATE].toSorted());
  t.true(namesOf("stopNode").length > 0);
});

for (const actor of SURVIVORS) {
  test(`${actor} fails over every message that it takes, and all is well again`, (t) => {
    const all = casesOf(actor);
    const cases = IS_WHOLE ? all : oneOfEach(all).filter((_, index) => index % 5 === 0);
    const { failures, virtualMs } = playFailures(SEED, cases);
    t.log(`${failures} failures of ${cases.length} cases in ${Math.round(virtualMs / 1000)} s`);
    // A step without an effect cannot fail at one.
    t.true(failures >= (cases.length * 2) / 3);
  });
}

for (const actor of namesOf("stopNode")) {
  test(`a node whose ${actor} fails stops at once, and the others go on without it`, (t) => {
    t.notThrows(() => playStops(SEED, actor));
  });
}
