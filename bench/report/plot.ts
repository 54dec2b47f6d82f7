/** Lines over an axis, as SVG. Colours are variables of the page, so that they suit light and dark. */

export type Line = {
  readonly label: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
};

export type Plot = {
  readonly title: string;
  readonly axis: string;
  /** The scale of both axes. On a logarithmic scale only what is above 0 is shown. */
  readonly scale: "linear" | "log";
  readonly lines: readonly Line[];
};

const WIDTH = 520;
const HEIGHT = 320;
const LEFT = 70;
const RIGHT = 20;
const TOP = 30;
const BOTTOM = 45;
const LEGEND_HEIGHT = 18;
const COLOURS = 6;
const LINEAR_STEPS = 5;

type Axis = { readonly at: (value: number) => number; readonly ticks: readonly number[] };

export function plotSvg(plot: Plot): string {
  const lines = plot.lines.map(({ label, points }) => {
    const shown = plot.scale === "log" ? points.filter(({ x, y }) => x > 0 && y > 0) : points;
    return { label, points: shown };
  });
  const all = lines.flatMap(({ points }) => points);
  const x = axisOf(
    all.map((point) => point.x),
    plot.scale,
    [LEFT, WIDTH - RIGHT],
  );
  const y = axisOf(
    all.map((point) => point.y),
    plot.scale,
    [HEIGHT - BOTTOM, TOP],
  );
  const height = HEIGHT + lines.length * LEGEND_HEIGHT;
  return `<svg viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(plot.title)}">
<text x="${LEFT}" y="16" font-weight="600">${escape(plot.title)}</text>
${x.ticks.map((tick) => tickX(x, tick)).join("\n")}
${y.ticks.map((tick) => tickY(y, tick)).join("\n")}
<text class="faint" x="${WIDTH - RIGHT}" y="${HEIGHT - 8}" text-anchor="end">${escape(plot.axis)}</text>
${lines.map((line, index) => lineSvg(line, index, { x, y })).join("\n")}
</svg>`;
}

function lineSvg({ label, points }: Line, index: number, { x, y }: { x: Axis; y: Axis }): string {
  const colour = `var(--c${index % COLOURS})`;
  const places = points.map((point) => [x.at(point.x).toFixed(1), y.at(point.y).toFixed(1)]);
  const path = places.map(([px, py], each) => `${each === 0 ? "M" : "L"}${px} ${py}`).join(" ");
  const dots =
    places.length > 20
      ? ""
      : places.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3" fill="${colour}"/>`).join("");
  const legendY = HEIGHT + index * LEGEND_HEIGHT;
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}
<rect x="${LEFT}" y="${legendY}" width="12" height="12" fill="${colour}"/><text x="${LEFT + 18}" y="${legendY + 10}">${escape(label)}</text>`;
}

function tickX(axis: Axis, value: number): string {
  const at = axis.at(value).toFixed(1);
  return `<line class="rule" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text x="${at}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${short(value)}</text>`;
}

function tickY(axis: Axis, value: number): string {
  const at = axis.at(value).toFixed(1);
  return `<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${Number(at) + 4}" text-anchor="end">${short(value)}</text>`;
}

function axisOf(
  values: readonly number[],
  scale: Plot["scale"],
  [from, to]: readonly [number, number],
): Axis {
  const least = Math.min(...values);
  const most = Math.max(...values);
  if (scale === "log") {
    const low = Math.floor(Math.log10(least));
    const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
    const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
    const at = (value: number): number =>
      from + ((Math.log10(value) - low) / (high - low)) * (to - from);
    return { at, ticks };
  }
  const low = Math.min(0, least);
  const step = niceStep((most - low) / LINEAR_STEPS || 1);
  const first = Math.floor(low / step) * step;
  const steps = Math.max(1, Math.ceil((most - first) / step));
  const ticks = Array.from({ length: steps + 1 }, (_, index) => first + index * step);
  const at = (value: number): number => from + ((value - first) / (steps * step)) * (to - from);
  return { at, ticks };
}

/** The next larger of 1, 2 and 5 times a power of ten. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((factor) => factor * power >= least) ?? 10) * power;
}

function short(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.01) return value.toExponential(0);
  if (Math.abs(value) >= 1e6) return `${trimmed(value / 1e6)} M`;
  return Math.abs(value) >= 1e4 ? `${trimmed(value / 1e3)} k` : trimmed(value);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
