/** What the package exports, read from its built declarations by API Extractor, which brings a TypeScript of its own along. */
import { mkdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { manifestOf } from "../package/install.ts";

export type Entry = {
  /** As in `zooid/client`, without `zooid/`. */
  readonly name: string;
  /** Its declarations, from the package's folder. */
  readonly types: string;
};

export async function entriesOf(folder: string): Promise<readonly Entry[]> {
  const { exports } = await manifestOf(folder);
  return Object.entries(exports).flatMap(([name, to]) =>
    typeof to === "string" ? [] : [{ name: name.slice(2), types: to.types }],
  );
}

/** The exports of each entry that may be without documentation. */
export async function undocumented(): Promise<Readonly<Record<string, readonly string[]>>> {
  const file = new URL("../package/undocumented.json", import.meta.url);
  return JSON.parse(await readFile(file, "utf8")) as Record<string, readonly string[]>;
}

/** Writes a model of what an entry exports into `models`, for the generator. Returns the names that have no documentation. */
export function extract(folder: string, entry: Entry, models: string): readonly string[] {
  const apiJsonFilePath = join(models, `${entry.name}.api.json`);
  mkdirSync(models, { recursive: true });
  const quiet = { default: { logLevel: ExtractorLogLevel.None } };
  const config = ExtractorConfig.prepare({
    configObject: {
      ...{ projectFolder: folder, mainEntryPointFilePath: join(folder, entry.types) },
      compiler: { overrideTsconfig: { compilerOptions: COMPILER, files: [entry.types] } },
      docModel: { enabled: true, apiJsonFilePath },
      messages: {
        ...{ compilerMessageReporting: quiet, extractorMessageReporting: quiet },
        tsdocMessageReporting: quiet,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
  });
  Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => {
      message.handled = true;
    },
  });
  const { members } = JSON.parse(readFileSync(apiJsonFilePath, "utf8")) as Model;
  const exported = members.flatMap((each) => each.members ?? []);
  const bare = exported.filter(({ docComment = "" }) => docComment === "");
  return [...new Set(bare.map(({ name }) => name ?? "?"))].toSorted();
}

/** As much of API Extractor's model as is read here. */
type Model = {
  readonly name?: string;
  readonly docComment?: string;
  readonly members: readonly Partial<Model>[];
};

const COMPILER = {
  ...{ module: "nodenext", moduleResolution: "nodenext", target: "es2024", strict: true },
  ...{ lib: ["es2024", "esnext.disposable"], types: ["node"], skipLibCheck: true },
};
