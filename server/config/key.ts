/** One setting: its names on the command line and in a file. */
import type { NodeConfig } from "./node-config.ts";

export type Key = {
  readonly field: keyof NodeConfig;
  readonly flag: string;
  /** What stands for the value in the help text. */
  readonly placeholder: string;
  /** In a `zoo.cfg`; undefined where the file says it another way (`server.N`, `myid`). */
  readonly fileKey: string | undefined;
  /** Other names that ZooKeeper, or its documentation, has for it. */
  readonly alsoInFile?: readonly string[];
  /** For the help text. */
  readonly summary: string;
};

/** The names in a file have spaces between them, the usual one first. */
export function key(
  field: keyof NodeConfig,
  flagAndPlaceholder: string,
  fileKeys: string | undefined,
  summary: string,
): Key {
  const [flag = "", placeholder = ""] = flagAndPlaceholder.split(" ");
  const [fileKey, ...others] = fileKeys?.split(" ") ?? [];
  const also = others.length === 0 ? {} : { alsoInFile: others };
  return { field, flag, placeholder, fileKey, ...also, summary };
}

/** All names that a setting has in a file. */
export function fileKeysOf({ fileKey, alsoInFile = [] }: Key): readonly string[] {
  return fileKey === undefined ? [] : [fileKey, ...alsoInFile];
}
