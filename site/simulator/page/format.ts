/** Numbers as the page shows them. */
const TIME: Intl.NumberFormat = new Intl.NumberFormat("en", {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const COUNT: Intl.NumberFormat = new Intl.NumberFormat("en");

export function milliseconds(ms: number): string {
  return `${TIME.format(ms)} ms`;
}

export function counted(count: number): string {
  return COUNT.format(Math.round(count));
}
