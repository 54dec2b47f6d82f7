import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { cacheFolder } from "../../../cli/cache-folder.ts";

test("a service's folder comes first, then the checkout's, then the user's", (t) => {
  const checkout = mkdtempSync(join(tmpdir(), "zooid-checkout-"));
  t.teardown(() => rmSync(checkout, { recursive: true, force: true }));
  const user = { XDG_CACHE_HOME: "/u" };
  t.is(cacheFolder({ ...user, CACHE_DIRECTORY: "/var/cache/z:/other" }, checkout), "/var/cache/z");
  t.is(cacheFolder(user, checkout), "/u/zooid");
  t.is(cacheFolder({ XDG_CACHE_HOME: "relative" }, checkout), join(homedir(), ".cache/zooid"));
  mkdirSync(join(checkout, "node_modules"));
  t.is(cacheFolder(user, checkout), join(checkout, "node_modules/.cache/zooid"));
});

test("without being asked it is a folder of this checkout", (t) => {
  t.regex(cacheFolder({}), /node_modules\/\.cache\/zooid$/);
});
