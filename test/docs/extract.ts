/** What the package exports, read from its built declarations by API Extractor, which brings a TypeScript of its own along. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
} from "@microsoft/api-extractor";
import { manifestOf } from "../package/install.ts";
import {
  bareFieldsOf,
  declarationOf,
  type DeclaredType,
  type Token,
  tokensOf,
} from "./declarations.ts";

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

/**
 * Writes a model of what each entry exports, for the generator: `<models>/<entry>/<entry>.api.json`. Returns what has no documentation:
 * exports, members of classes and interfaces, fields of types, as `client: Claim.fence`.
 */
export function extract(
  folder: string,
  entries: readonly Entry[],
  models: string,
): readonly string[] {
  const made = entries.map(({ name, types }) => {
    const file = join(models, name, `${name}.api.json`);
    mkdirSync(join(models, name), { recursive: true });
    return { name, file, config: configOf(folder, types, file) };
  });
  const [first] = made;
  if (first === undefined) throw new Error("the package exports nothing");
  const all = made.map(({ config }) => config.mainEntryPointFilePath);
  // All entries are of one program, which is most of the work.
  const compilerState = CompilerState.create(first.config, { additionalEntryPoints: all });
  return made.flatMap(({ name, file, config }) => {
    Extractor.invoke(config, {
      ...{ compilerState, localBuild: true },
      messageCallback: (message) => {
        message.handled = true;
      },
    });
    const model = JSON.parse(readFileSync(file, "utf8")) as Model;
    const bare: string[] = [];
    const entryPoints = model.members.map((entry) => {
      const members = exported(entry.members ?? []).map((item) => {
        bare.push(...undocumentedIn(item));
        if (!isType(item)) return item;
        const text = declarationOf(folder, item);
        bare.push(...bareFieldsOf(text).map((field) => `${item.name}.${field}`));
        return withText(item, text);
      });
      return { ...entry, members };
    });
    writeFileSync(file, JSON.stringify({ ...model, members: entryPoints }));
    return [...new Set(bare)].toSorted().map((each) => `${name}: ${each}`);
  });
}

function configOf(folder: string, types: string, apiJsonFilePath: string): ExtractorConfig {
  const quiet = { default: { logLevel: ExtractorLogLevel.None } };
  return ExtractorConfig.prepare({
    configObject: {
      ...{ projectFolder: folder, mainEntryPointFilePath: join(folder, types) },
      compiler: { overrideTsconfig: { compilerOptions: COMPILER, files: [types] } },
      docModel: { enabled: true, apiJsonFilePath, includeForgottenExports: true },
      messages: {
        ...{ compilerMessageReporting: quiet, extractorMessageReporting: quiet },
        tsdocMessageReporting: quiet,
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, "package.json"),
  });
}

/** As much of API Extractor's model as is read here: the package has entry points, these have exports, and these have members. */
type Item = {
  readonly kind?: string;
  readonly name?: string;
  readonly canonicalReference?: string;
  readonly docComment?: string;
  readonly excerptTokens?: readonly Token[];
  readonly extendsTokenRange?: TokenRange;
  readonly typeTokenRange?: TokenRange;
  readonly members?: readonly Item[];
};

type TokenRange = { readonly startIndex: number; readonly endIndex: number };

type Model = Item & { readonly members: readonly Item[] };

function isType(item: Item): item is Item & DeclaredType {
  return item.kind === "TypeAlias";
}

function withText(item: Item & DeclaredType, text: string): Item {
  const excerptTokens = tokensOf(text, item);
  return {
    ...item,
    excerptTokens,
    typeTokenRange: { startIndex: 0, endIndex: excerptTokens.length },
  };
}

/**
 * Without what is not exported, but for the classes that exported ones extend: their members are what a user calls. Those of
 * `Client` are mostly such.
 */
function exported(items: readonly Item[]): readonly Item[] {
  const kept = new Set(
    items.filter(({ canonicalReference = "" }) => !isHidden(canonicalReference)),
  );
  // A set goes on to what is added meanwhile.
  for (const each of kept) {
    const base = baseOf(each)?.canonicalReference;
    const found = items.find(({ canonicalReference }) => canonicalReference === base);
    if (base !== undefined && found !== undefined) kept.add(found);
  }
  return items.filter((item) => kept.has(item));
}

function isHidden(reference: string): boolean {
  return reference.includes("!~");
}

function baseOf({ excerptTokens = [], extendsTokenRange }: Item): Token | undefined {
  return extendsTokenRange && excerptTokens[extendsTokenRange.startIndex];
}

/** What every class of errors has; `ZooidError` says what it is. */
const ERROR_MEMBERS: ReadonlySet<string> = new Set(["name", "code", "retryable"]);

function undocumentedIn(item: Item): readonly string[] {
  const { name = "?", docComment = "", members = [] } = item;
  const isError = baseOf(item)?.text === "ZooidError";
  const bare = members.filter((member) => {
    if (isError && ERROR_MEMBERS.has(member.name ?? "")) return false;
    return (member.docComment ?? "") === "";
  });
  const own = docComment === "" ? [name] : [];
  return [...own, ...bare.map((member) => `${name}.${member.name ?? "?"}`)];
}

const COMPILER = {
  ...{ module: "nodenext", moduleResolution: "nodenext", target: "es2024", strict: true },
  ...{ lib: ["es2024", "esnext.disposable"], types: ["node"], skipLibCheck: true },
};
