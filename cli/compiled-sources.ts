/**
 * Keeps what V8 has made of the sources, so that the next start need not compile them: that is half of the work of a start. Without a
 * folder that it may write to, a start is as slow as the first one, and nothing else is different.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { cacheFolder } from "./cache-folder.ts";

/**
 * For everything that this process and its threads load from now on. V8 takes only what was compiled under the same flags, so these are set
 * before, and nodes that this process starts get them on their command lines. `NODE_DISABLE_COMPILE_CACHE=1` switches it off.
 */
export function keepCompiledSources(): void {
  if (process.env["NODE_COMPILE_CACHE"] !== undefined) return;
  const { directory } = enableCompileCache(join(cacheFolder(), "compiled"));
  // Other threads look here, and so do nodes that this process starts.
  if (directory !== undefined) process.env["NODE_COMPILE_CACHE"] = directory;
}
