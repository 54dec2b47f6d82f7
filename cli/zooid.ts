#!/usr/bin/env node
/**
 * The `zooid` command. It checks the version of Node before it loads anything else: the other modules need a newer version than many
 * machines have, and would fail there with an error that helps nobody.
 */
import { EXIT_FAILED, messageOf } from "./command.ts";
import { nodeProblem } from "./node-version.ts";

async function start(): Promise<number> {
  const problem = nodeProblem(process.versions.node);
  if (problem !== undefined) {
    console.error(`zooid: ${problem}`);
    return EXIT_FAILED;
  }
  const { tuneGarbageCollection } = await import("../server/garbage-collection.ts");
  const { keepCompiledSources } = await import("./compiled-sources.ts");
  const { resolveByPath } = await import("./source-paths.ts");
  tuneGarbageCollection();
  keepCompiledSources();
  resolveByPath();
  const { main } = await import("./main.ts");
  return main(process.argv.slice(2));
}

try {
  process.exit(await start());
} catch (error) {
  console.error(`zooid: ${messageOf(error)}`);
  process.exit(EXIT_FAILED);
}
