/** What a transaction may ask for with `if`: nothing of it is done unless all of its conditions hold. */
import { checkPath, checkVersion } from "../protocol/arguments.ts";
import type { NativeMember } from "../protocol/native-packing.ts";

const VERSION_ANY = -1;

/**
 * What must hold when a transaction is done, for its `if`: made by `exists` and `absent`, and found as `isHeld` at locks and other claims.
 * Source: the comparisons of etcd's transactions.
 */
export type Condition = {
  /** In words, for `ConditionFailedError`. */
  readonly name: string;
  /** Operations that change nothing and fail unless the condition holds. */
  readonly operations: readonly NativeMember[];
};

/** There is a znode at the path; with `version`: and its data has this version. */
export function exists(path: string, version: number = VERSION_ANY): Condition {
  checkPath(path);
  checkVersion(version);
  const ofVersion = version === VERSION_ANY ? "" : ` in version ${version}`;
  return {
    name: `${path} exists${ofVersion}`,
    operations: [{ kind: "check", path, version }],
  };
}

/** There is no znode at the path. */
export function absent(path: string): Condition {
  checkPath(path);
  return {
    name: `${path} does not exist`,
    operations: [{ kind: "checkNotExists", path, version: VERSION_ANY }],
  };
}
