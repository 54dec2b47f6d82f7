/** Where `zooid` keeps what it could make or fetch again. */
import { accessSync, constants } from "node:fs";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

type Environment = Readonly<Record<string, string | undefined>>;

const CHECKOUT: string = fileURLToPath(new URL("..", import.meta.url));

/**
 * systemd's `CacheDirectory=`, else `node_modules/.cache/zooid` of a checkout that this user may write to, else `zooid` in `XDG_CACHE_HOME` or
 * `~/.cache`. `checkout` is the folder of the sources.
 */
export function cacheFolder(env: Environment = process.env, checkout: string = CHECKOUT): string {
  const [service] = env["CACHE_DIRECTORY"]?.split(":") ?? [];
  if (service !== undefined && isAbsolute(service)) return service;
  const modules = join(checkout, "node_modules");
  if (isWritable(modules)) return join(modules, ".cache", "zooid");
  const given = env["XDG_CACHE_HOME"];
  const base = given !== undefined && isAbsolute(given) ? given : join(homedir(), ".cache");
  return join(base, "zooid");
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
