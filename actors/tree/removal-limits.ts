/** How much the removeRecursives of clients may look at and delete. */
import {
  REMOVE_RECURSIVE_MAX,
  REMOVE_RECURSIVE_PATH_UNIT,
  REMOVE_RECURSIVE_RECORD_MAX,
} from "../../protocol/limits.ts";

/** What is refused follows from the limits, so they must be the same on every node of an ensemble, and for as long as its log is kept. */
export type RemovalLimits = {
  /** Znodes that one removeRecursive deletes at most, whatever limit it names. */
  readonly znodesMax: number;
  /** Znodes that all of one record look at. */
  readonly recordMax: number;
  /** A znode counts as one more for each so many characters of its path. */
  readonly pathUnit: number;
};

export const REMOVAL_LIMITS: RemovalLimits = {
  znodesMax: REMOVE_RECURSIVE_MAX,
  recordMax: REMOVE_RECURSIVE_RECORD_MAX,
  pathUnit: REMOVE_RECURSIVE_PATH_UNIT,
};
