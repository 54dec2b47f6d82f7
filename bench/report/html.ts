/** The report as one HTML file: tables and plots, nothing from elsewhere. It is legible in light and in dark. */
import { environmentText } from "./environment.ts";
import type { Results } from "./files.ts";
import { METRICS, type Measurement } from "./measurement.ts";
import { type Line, type Plot, plotSvg } from "./plot.ts";
import { type Group, groupsOf, ratiosOf } from "./statistics.ts";
import { metricsOf, ratioText, valueText } from "./text.ts";

const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1f; --back: #ffffff; --faint: #6b6b76; --rule: #d8d8e0;
  --c0: #0b62c4; --c1: #c2410c; --c2: #15803d; --c3: #7e22ce; --c4: #a16207; --c5: #0f766e; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e8ee; --back: #16161a; --faint: #a0a0ad; --rule: #3a3a44;
    --c0: #6fb1ff; --c1: #ff9966; --c2: #6ddc8b; --c3: #cf9bff; --c4: #f0c85a; --c5: #5fd6c8; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
pre { white-space: pre-wrap; color: var(--faint); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0 2rem; }
.wide { overflow-x: auto; }
th, td { text-align: right; padding: 0.2rem 0.7rem; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
.problem { color: var(--c1); }
.plots { display: flex; flex-wrap: wrap; gap: 1.5rem; }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--text); font: 12px system-ui, sans-serif; }
svg .faint { fill: var(--faint); }
svg .rule { stroke: var(--rule); }
`;

export function reportHtml({ environment, args, measurements }: Results): string {
  const profiles = [...new Set(measurements.map(({ profile }) => profile))];
  const groups = groupsOf(measurements);
  const sections = profiles.map((profile) => {
    return sectionOf(
      profile,
      groups.filter((group) => group.profile === profile),
    );
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>zooid bench, ${escaped(environment.commit)}</title>
<style>${STYLE}</style>
<h1>zooid bench</h1>
<pre>npm run bench -- ${escaped(args.join(" "))}

${escaped(environmentText(environment))}</pre>
${problemsOf(measurements)}
${plotsOf(measurements, groups)}
${ratiosTable(measurements)}
${sections.join("\n")}
</html>
`;
}

function problemsOf(measurements: readonly Measurement[]): string {
  const lines = measurements.flatMap(({ target, profile, name, round, problems }) =>
    (problems ?? []).map((problem) => `${target}, ${profile} ${name}, round ${round}: ${problem}`),
  );
  if (lines.length === 0) return "";
  const items = lines.map((line) => `<li class="problem">${escaped(line)}</li>`);
  return `<h2>Problems</h2>\n<p>A number with errors is not comparable.</p>\n<ul>${items.join("\n")}</ul>`;
}

function sectionOf(profile: string, groups: readonly Group[]): string {
  const metrics = metricsOf(groups);
  const head = ["", "", ...metrics.map((metric) => METRICS[metric].label), "rounds"];
  const rows = groups.map(({ name, target, rounds, spreads }) => {
    const [first] = rounds;
    if (first?.notOffered !== undefined) {
      const cell = `<td colspan="${metrics.length + 1}">not offered: ${escaped(first.notOffered)}</td>`;
      return `<tr><td>${escaped(name)}</td><td>${escaped(target)}</td>${cell}</tr>`;
    }
    const cells = metrics.map((metric) => {
      const spread = spreads[metric];
      return spread === undefined ? "" : valueText(metric, spread);
    });
    return rowOf([name, target, ...cells, String(rounds.length)]);
  });
  return `<h2>${escaped(profile)}</h2>\n${tableOf(head, rows)}`;
}

function ratiosTable(measurements: readonly Measurement[]): string {
  const ratios = ratiosOf(measurements);
  if (ratios.length === 0) return "";
  const rows = ratios.map((ratio) =>
    rowOf([
      `${ratio.profile}: ${ratio.name}`,
      `${ratio.target} / ${ratio.to}`,
      METRICS[ratio.metric].label,
      ratioText(ratio),
    ]),
  );
  const title = "Ratios: median over the pairs of rounds (least-largest)";
  const head = ["", "", "metric", "ratio"];
  return `<details><summary>${title}</summary>${tableOf(head, rows)}</details>`;
}

function tableOf(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((cell) => `<th>${escaped(cell)}</th>`).join("");
  return `<div class="wide"><table><tr>${cells}</tr>\n${rows.join("\n")}</table></div>`;
}

function rowOf(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join("")}</tr>`;
}

function plotsOf(measurements: readonly Measurement[], groups: readonly Group[]): string {
  const plots = [...loadPlots(groups), ...timelinePlots(measurements)];
  if (plots.length === 0) return "";
  return `<h2>Plots</h2>\n<div class="plots">${plots.map(plotSvg).join("\n")}</div>`;
}

const PLOTTED = [
  "operationsPerSecond",
  "eventsPerSecond",
  "p50",
  "p99",
  "residentMb",
  "bytesPerZnode",
  "restartMs",
] as const;

/** One plot for each metric over each axis that has at least two places. */
export function loadPlots(groups: readonly Group[]): readonly Plot[] {
  const places = groups.flatMap((group) =>
    (group.rounds[0]?.points ?? []).map((point) => ({ group, point })),
  );
  const names = [...new Set(places.map(({ point }) => point.plot))];
  return names.flatMap((name) => {
    const own = places.filter(({ point }) => point.plot === name);
    const axis = own[0]?.point.axis ?? "";
    if (new Set(own.map(({ point }) => point.x)).size < 2) return [];
    return PLOTTED.flatMap((metric) => {
      const targets = [...new Set(own.map(({ group }) => group.target))];
      const lines = targets.flatMap((target): Line[] => {
        const points = own
          .filter(({ group }) => group.target === target)
          .flatMap(({ group, point }) => {
            const y = group.spreads[metric]?.median;
            return y === undefined ? [] : [{ x: point.x, y }];
          })
          .toSorted((a, b) => a.x - b.x);
        return points.length === 0 ? [] : [{ label: target, points }];
      });
      if (lines.length === 0) return [];
      const { label } = METRICS[metric];
      return [{ title: `${name}: ${label}`, axis, scale: "log" as const, lines }];
    });
  });
}

/** One plot for each case that has timelines: of each target, the round that is the median of its longest gaps. */
function timelinePlots(measurements: readonly Measurement[]): readonly Plot[] {
  const withTimeline = measurements.filter(({ timeline }) => timeline !== undefined);
  const cases = [...new Set(withTimeline.map(({ profile, name }) => `${profile}: ${name}`))];
  return cases.map((title) => {
    const own = withTimeline.filter(({ profile, name }) => `${profile}: ${name}` === title);
    const targets = [...new Set(own.map(({ target }) => target))];
    const lines = targets.flatMap((target): Line[] => {
      const rounds = own
        .filter((each) => each.target === target)
        .toSorted((a, b) => (a.metrics.longestGapMs ?? 0) - (b.metrics.longestGapMs ?? 0));
      const timeline = rounds[Math.floor(rounds.length / 2)]?.timeline;
      if (timeline === undefined) return [];
      const points = timeline.values.map((y, index) => {
        return { x: timeline.fromMs + index * timeline.stepMs, y };
      });
      return [{ label: target, points }];
    });
    const label = own[0]?.timeline?.label ?? "";
    return { title: `${title}: ${label}`, axis: "ms", scale: "linear" as const, lines };
  });
}

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
