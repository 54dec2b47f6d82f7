/** Times as Java's Date prints them. */
import test from "ava";
import fc from "fast-check";
import { javaDate } from "../../../protocol/java-date.ts";

/** Four centuries, with leap years of every kind. */
const YEARS_MS = 400 * 365.25 * 24 * 3600 * 1000;

test("a time is printed as ZooKeeper's dump has it", (t) => {
  t.is(javaDate(1_795_876_305_000), "Sat Nov 28 14:31:45 UTC 2026");
  t.is(javaDate(0), "Thu Jan 01 00:00:00 UTC 1970");
});

test("the calendar is that of JavaScript's own dates, leap days and all", (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: YEARS_MS }), (unixMs) => {
      const [weekday, day, month, year, clock] = new Date(unixMs).toUTCString().split(/[ ,]+/);
      t.is(javaDate(unixMs), `${weekday} ${month} ${day} ${clock} UTC ${Number(year)}`);
    }),
  );
  for (const day of ["2024-02-29", "2000-02-29", "1900-02-28", "1900-03-01", "2100-12-31"]) {
    t.regex(
      javaDate(Date.parse(day)),
      new RegExp(` ${day.slice(-2)} 00:00:00 UTC ${day.slice(0, 4)}$`),
    );
  }
});
