/** The data folder of a node that is about to start. */
import { makeDataFolder } from "./data-folder.ts";
import { machine, treeBytesStop } from "./memory-limits.ts";
import { memoryProblem } from "./start-memory.ts";
import type { PlacedConfig } from "./threads/choice.ts";

/** Makes the folder if there is none. Throws when the memory of this process cannot hold the tree in it. */
export function makeNodeFolder({ dataDir, lanes }: PlacedConfig): void {
  makeDataFolder(dataDir);
  const bytesStop = treeBytesStop(machine().memoryBytes, lanes);
  const problem = memoryProblem(dataDir, bytesStop, lanes);
  if (problem !== undefined) throw new Error(problem);
}
