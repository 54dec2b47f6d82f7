/** `npm run site:preview [-- PORT]`: the site that `npm run site` has built, for this machine alone. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, posix } from "node:path";
import { OUTPUT } from "./build.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".txt": "text/plain; charset=utf-8",
  ".png": "image/png",
};

/** Serves what is in the folder, also what comes later. Port 0 is any that is free. */
export async function serveSite(folder: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    void readAt(folder, request.url ?? "/").then(
      ({ type, bytes }) => response.writeHead(200, { "content-type": type }).end(bytes),
      () => response.writeHead(404, { "content-type": "text/plain" }).end("Nothing is here.\n"),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return server;
}

async function readAt(folder: string, url: string): Promise<{ type: string; bytes: Buffer }> {
  const [path = ""] = url.split(/[?#]/);
  // From the root on: no path leads out of it.
  const inside = posix.normalize(`/${decodeURIComponent(path)}`);
  const file = inside.endsWith("/") ? `${inside}index.html` : inside;
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  return { type, bytes: await readFile(join(folder, file)) };
}

/** The address of a server's front page. */
export function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

if (process.argv[1] === import.meta.filename) {
  if (!existsSync(OUTPUT)) throw new Error("there is no site yet: npm run site builds it");
  const server = await serveSite(OUTPUT, Number(process.argv[2] ?? 8000));
  process.stdout.write(`${addressOf(server)}\n`);
}
