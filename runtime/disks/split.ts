/** Two folders that are one to whoever uses them: some of the files lie in the second. No two files have one name. */
import type { Disk, DiskOperation, DiskResult } from "../disk.ts";

export type SplitOptions = {
  readonly first: Disk;
  readonly second: Disk;
  /** A file that is renamed stays in its folder: both names are of the same one. */
  readonly isOfSecond: (file: string) => boolean;
  /** Folders that are not told of: one of the two may lie in the other. Default: none. */
  readonly hidden?: readonly string[];
};

export class SplitDisk implements Disk {
  readonly #options: SplitOptions;

  constructor(options: SplitOptions) {
    this.#options = options;
  }

  perform(operation: DiskOperation): DiskResult {
    const { first, second, isOfSecond } = this.#options;
    switch (operation.kind) {
      case "list":
        return this.#list();
      case "syncFolder":
        first.perform(operation);
        return second.perform(operation);
      case "rename":
        if (isOfSecond(operation.file) !== isOfSecond(operation.to)) {
          throw new Error(`${operation.file} and ${operation.to} are not of one folder`);
        }
        break;
      default:
        break;
    }
    return (isOfSecond(operation.file) ? second : first).perform(operation);
  }

  close(): void {
    this.#options.first.close();
    this.#options.second.close();
  }

  #list(): DiskResult {
    const { first, second, hidden = [] } = this.#options;
    const [one, other] = [first.perform({ kind: "list" }), second.perform({ kind: "list" })];
    if (one.kind !== "files" || other.kind !== "files") throw new Error("a list has files");
    const files = [...one.files, ...other.files];
    const others = [...one.others, ...other.others].filter(
      ({ name, is }) => is !== "folder" || !hidden.includes(name),
    );
    return { kind: "files", files, others };
  }
}
