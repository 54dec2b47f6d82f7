/**
 * What `npm start` and `npm run zooid` run: `zooid.ts`, with what was kept of the sources. It is JavaScript because Node loads its compiler of
 * TypeScript, for a fifth of a second, as soon as it meets a TypeScript file of which it has kept nothing, and it keeps nothing before it is
 * asked to. The folder is the one of `compiled-sources.ts`, which does the same for who runs `zooid.ts` itself.
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

const { NODE_COMPILE_CACHE, CACHE_DIRECTORY } = process.env;
if (NODE_COMPILE_CACHE === undefined && CACHE_DIRECTORY === undefined) {
  const folder = fileURLToPath(new URL("../node_modules/.cache/zooid/compiled", import.meta.url));
  const { directory } = enableCompileCache(folder);
  if (directory !== undefined) process.env["NODE_COMPILE_CACHE"] = folder;
}
await import("./zooid.ts");
