/** `zooid top`: what is asked of the servers of an ensemble, live. */
import { EXIT_OK } from "../../command.ts";
import { shownUrl } from "../connection.ts";
import type { Context } from "../context.ts";
import { EXIT_INTERRUPTED, EXIT_UNREACHABLE } from "../exit-codes.ts";
import type { Given } from "../given.ts";
import { serversOfContext } from "../servers/servers.ts";
import { type Sample, Sampler } from "../top/sampler.ts";
import { Screen } from "../top/screen.ts";
import { busiestOf, jsonOfSamples, textOfSamples } from "../top/view.ts";

const INTERVAL_SECONDS_DEFAULT = 2;
const ROWS_DEFAULT = 10;
const QUIT = new Set(["q", "Q"]);
/** On a terminal that is read key by key, Ctrl-C is one of them. */
const INTERRUPT = "\u0003";

type Ending = { code: number | undefined; readonly ended: PromiseWithResolvers<void> };

export async function run(given: Given, context: Context): Promise<number> {
  const { io, output, inShell } = context;
  await using servers = await serversOfContext(context);
  const ending: Ending = { code: undefined, ended: Promise.withResolvers<void>() };
  const end = (code: number): void => {
    ending.code ??= code;
    ending.ended.resolve();
  };
  const isLive = output.isTerminal && !output.isJson && !given.has("once");
  let screen: Screen | undefined;
  try {
    const samplers = servers.all.map((server) => new Sampler(server));
    const sampleAll = (): Promise<readonly Sample[]> =>
      Promise.all(samplers.map((sampler) => sampler.sample()));
    await sampleAll();
    if (isLive) {
      screen = new Screen(io, io.stdin.isTTY === true && !inShell, (key) => {
        if (QUIT.has(key)) end(EXIT_OK);
        else if (key === INTERRUPT) end(EXIT_INTERRUPTED);
      });
      screen.draw([headOf(given, context), "", "measuring"]);
    }
    await repeated(given, context, { ending, end, screen, sampleAll });
  } finally {
    screen?.close();
  }
  return ending.code ?? EXIT_OK;
}

type Repeating = {
  readonly ending: Ending;
  readonly end: (code: number) => void;
  readonly screen: Screen | undefined;
  readonly sampleAll: () => Promise<readonly Sample[]>;
};

async function repeated(
  given: Given,
  context: Context,
  { ending, end, screen, sampleAll }: Repeating,
): Promise<void> {
  const { signal } = context;
  const intervalMs = intervalMsOf(given);
  const seconds = given.number("seconds");
  const untilMs = seconds === undefined ? undefined : performance.now() + seconds * 1000;
  const noted = new Set<string>();
  while (ending.code === undefined) {
    await pause(intervalMs, ending.ended.promise, signal);
    if (ending.code !== undefined) return;
    // A server that says nothing does not hold up who wants to leave.
    const samples = await Promise.race([sampleAll(), ending.ended.promise]);
    if (ending.code !== undefined || samples === undefined) return;
    await show(samples, given, context, { screen, noted });
    const isOver = untilMs !== undefined && performance.now() + intervalMs / 2 >= untilMs;
    if (!given.has("once") && !isOver) continue;
    end(samples.some(({ mode }) => mode !== undefined) ? EXIT_OK : EXIT_UNREACHABLE);
  }
}

/** Rejects when the command is to end; resolves before the time is over when somebody has ended it by a key. */
async function pause(ms: number, ended: Promise<void>, signal: AbortSignal): Promise<void> {
  const over = Promise.withResolvers<void>();
  const abort = (): void => over.reject(signal.reason);
  const timer = setTimeout(over.resolve, ms);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await Promise.race([over.promise, ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  }
}

type Place = { readonly screen: Screen | undefined; readonly noted: Set<string> };

async function show(
  samples: readonly Sample[],
  given: Given,
  context: Context,
  { screen, noted }: Place,
): Promise<void> {
  const { output } = context;
  const busiest = busiestOf(samples, given.number("rows") ?? ROWS_DEFAULT);
  if (output.isJson) {
    await output.json(jsonOfSamples(samples, busiest));
    return;
  }
  const lines = await textOfSamples(samples, busiest, (text) => output.shown(text));
  const missing = new Set(samples.flatMap((sample) => sample.missing));
  if (screen !== undefined) {
    const notes = [...missing].map((text) => output.shown(text));
    screen.draw([headOf(given, context), "", ...lines, "", ...notes]);
    return;
  }
  await output.lines(given.has("once") ? lines : [new Date().toISOString(), ...lines, ""]);
  for (const text of missing) {
    if (!noted.has(text)) output.note(text);
    noted.add(text);
  }
}

function headOf(given: Given, { target, output, inShell }: Context): string {
  const where = output.shown(shownUrl(target?.url ?? ""));
  const ends = inShell ? "Ctrl-C ends it" : "q ends it";
  return `${where}  ${new Date().toTimeString().slice(0, 8)}  every ${intervalMsOf(given) / 1000} s, ${ends}`;
}

function intervalMsOf(given: Given): number {
  return (given.number("interval") ?? INTERVAL_SECONDS_DEFAULT) * 1000;
}
