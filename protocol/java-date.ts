/** Writes a time as Java's Date does, in UTC: `Sat Nov 28 14:31:45 UTC 2026`. Tools parse it in the answers to four-letter words. */
const DAYS: readonly string[] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY_MS = 86_400_000;
/** The Gregorian calendar repeats itself after so many days and years. */
const CYCLE_DAYS = 146_097;
const CYCLE_YEARS = 400;
/** From the first of March of the year 0 to the first of January 1970. */
const EPOCH_DAYS = 719_468;

export function javaDate(unixMs: number): string {
  const days = Math.floor(unixMs / DAY_MS);
  const { year, month, day } = dateOf(days);
  const seconds = Math.floor((unixMs - days * DAY_MS) / 1000);
  const clock = [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part) => two(Math.floor(part)))
    .join(":");
  const weekday = DAYS[((days % 7) + 7) % 7];
  return `${weekday} ${MONTHS[month - 1]} ${two(day)} ${clock} UTC ${year}`;
}

/** The date of a day that is so many days after the first of January 1970. Years are counted from March, so that the leap day is their last. */
function dateOf(days: number): { year: number; month: number; day: number } {
  const since = days + EPOCH_DAYS;
  const cycle = Math.floor(since / CYCLE_DAYS);
  const inCycle = since - cycle * CYCLE_DAYS;
  const leaps =
    Math.floor(inCycle / 1460) - Math.floor(inCycle / 36_524) + Math.floor(inCycle / 146_096);
  const yearInCycle = Math.floor((inCycle - leaps) / 365);
  const before = 365 * yearInCycle + Math.floor(yearInCycle / 4) - Math.floor(yearInCycle / 100);
  const inYear = inCycle - before;
  const monthFromMarch = Math.floor((5 * inYear + 2) / 153);
  const day = inYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearInCycle + cycle * CYCLE_YEARS + (month <= 2 ? 1 : 0);
  return { year, month, day };
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
