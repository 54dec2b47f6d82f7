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
  /** The connection has no such watch. ZooKeeper's NOWATCHER. */
  noWatcher: -121,
  /** ZooKeeper's NOTREADONLY: the server takes no writes. In zooid the reason is that there is no space left on disks. */
  notReadOnly: -119,
  /** ZooKeeper's RECONFIGDISABLED. */
  reconfigDisabled: -123,
  /** The connection has to authenticate first. ZooKeeper's SESSIONCLOSEDREQUIRESASLAUTH. */
  authRequired: -124,
  /** ZooKeeper's QUOTAEXCEEDED. In zooid also: the tree may not grow any more. */
  quotaExceeded: -125,
  /** Too many requests are under way; this one was certainly not done. ZooKeeper's THROTTLEDOP. */
  throttled: -127,
} as const;

export type Code = (typeof Code)[keyof typeof Code];
