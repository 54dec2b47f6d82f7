/** Plants a mutant in the modules of this process as they are loaded. */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { mutate, type Mutant, StaleMutant } from "./mutant.ts";

export const ROOT: URL = new URL("../../../", import.meta.url);

/** To be called before the modules are imported. The returned function throws unless every file was loaded mutated. */
export function plant(mutant: Mutant): () => void {
  const waiting = new Set(mutant.edits.map((edit) => edit.file));
  const root = fileURLToPath(ROOT);
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (!url.startsWith(ROOT.href)) return loaded;
      const file = fileURLToPath(url).slice(root.length);
      if (!waiting.delete(file)) return loaded;
      return { ...loaded, source: mutate(mutant, file, textOf(file, loaded.source)) };
    },
  });
  return () => {
    if (waiting.size === 0) return;
    const files = [...waiting].join(", ");
    throw new StaleMutant(`mutant ${mutant.name}: the simulator does not load ${files}`);
  };
}

function textOf(file: string, source: unknown): string {
  if (typeof source === "string") return source;
  if (source instanceof Uint8Array) return new TextDecoder().decode(source);
  throw new StaleMutant(`the source of ${file} cannot be read as it is loaded`);
}
