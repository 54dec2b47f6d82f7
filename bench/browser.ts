/** A browser that is measured with: Debian's Chromium without windows. */
import { existsSync } from "node:fs";
import puppeteer, { type Browser } from "puppeteer-core";
import { BenchError } from "./failure.ts";

const CHROMIUM = "/usr/bin/chromium-headless-shell";
const NICE = "/usr/bin/nice";
/** Opening a page on a busy machine may take minutes, when the browser has what is left. */
const PROTOCOL_MS_MAX = 300_000;

const ARGS = [
  // Chromium's sandbox needs user namespaces and another user than root. It opens pages of this machine's nodes alone.
  "--no-sandbox",
  // A container's /dev/shm may be small.
  "--disable-dev-shm-usage",
  "--disable-gpu",
];

/** `isNice`: it runs with the lowest priority, as if it were on another machine: a person's browser is. Throws a `BenchError` where there is none. */
export async function openBrowser({ isNice }: { readonly isNice: boolean }): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new BenchError(`${CHROMIUM} is missing: apt-get install chromium-headless-shell`);
  }
  const options = {
    defaultViewport: { width: 1280, height: 800 },
    protocolTimeout: PROTOCOL_MS_MAX,
  };
  if (!isNice) return await puppeteer.launch({ ...options, executablePath: CHROMIUM, args: ARGS });
  const all = await puppeteer.defaultArgs({ args: ARGS, headless: "shell" });
  return await puppeteer.launch({
    ...options,
    executablePath: NICE,
    ignoreDefaultArgs: true,
    args: ["-n", "19", CHROMIUM, ...all],
  });
}
