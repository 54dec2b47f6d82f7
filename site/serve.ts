/** `npm run site:preview [-- PORT]`: the site that `npm run site` has built, for this machine alone. */
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
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

/** Serves the files that are in the folder now. Port 0 is any that is free. */
export async function serveSite(folder: string, port: number): Promise<Server> {
  const files = new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file.slice(folder.length).replaceAll(sep, "/"), file] as const),
  );
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split(/[?#]/);
    const file = files.get(path.endsWith("/") ? `${path}index.html` : path);
    if (file === undefined) return response.writeHead(404).end("Nothing is here.\n");
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    return response.writeHead(200, { "content-type": type }).end(readFileSync(file));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  return server;
}

/** The address of a server's front page. */
export function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

if (process.argv[1] === import.meta.filename) {
  const server = await serveSite(OUTPUT, Number(process.argv[2] ?? 8000));
  process.stdout.write(`${addressOf(server)}\n`);
}
