/** Error codes of replies. Source: ZooKeeper's KeeperException.Code. */
export const Code = {
  ok: 0,
  systemError: -1,
  runtimeInconsistency: -2,
  connectionLoss: -4,
  marshallingError: -5,
  unimplemented: -6,
  operationTimeout: -7,
  badArguments: -8,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  /** Of a server that takes no writes now; here because there is no room on the disk. */
  notReadOnly: -119,
  /** There is too much under way; for certain not done. ZooKeeper's THROTTLEDOP. */
  /** The tree may not grow any more. */
  quotaExceeded: -125,
  throttled: -127,
} as const;

export type Code = (typeof Code)[keyof typeof Code];
