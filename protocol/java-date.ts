/** Writes a time as Java's Date does, in UTC: `Sat Nov 28 14:31:45 UTC 2026`. Tools parse it in the answers to four-letter words. */
const makeFormat = (): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", {
    ...{ weekday: "short", month: "short", day: "2-digit", year: "numeric" },
    ...{ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
    timeZone: "UTC",
  });

/** Made when it is first needed: it takes 60 ms, which no start is to wait for. */
let format: Intl.DateTimeFormat | undefined;

export function javaDate(unixMs: number): string {
  format ??= makeFormat();
  const parts = new Map(format.formatToParts(unixMs).map(({ type, value }) => [type, value]));
  const of = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
  const clock = `${of("hour")}:${of("minute")}:${of("second")}`;
  return `${of("weekday")} ${of("month")} ${of("day")} ${clock} UTC ${of("year")}`;
}
