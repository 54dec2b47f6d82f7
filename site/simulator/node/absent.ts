/**
 * What a simulated node could not do in a browser and never does: files, paths and addresses are looked at where a configuration is read, and
 * that of a simulated node comes from its plan. The version of the package is the only thing that is read from a file.
 */
declare const ZOOID_VERSION: string;

function absent(name: string): () => never {
  return () => {
    throw new Error(`a simulated node calls ${name}, which a browser does not have`);
  };
}

export const closeSync: () => never = absent("closeSync");
export const existsSync: () => never = absent("existsSync");
export const isIP: () => never = absent("isIP");
export const openSync: () => never = absent("openSync");
export const readSync: () => never = absent("readSync");
export const resolve: () => never = absent("resolve");
export const statSync: () => never = absent("statSync");

export function readFileSync(file: URL): string {
  if (file.pathname.endsWith("/package.json")) return JSON.stringify({ version: ZOOID_VERSION });
  throw new Error(`a simulated node reads ${file.pathname}, and a browser has no files`);
}
