/** The numbers of ZooKeeper's protocol. Source: ZooKeeper's ZooDefs.OpCode, ClientCnxn and Watcher.Event. */
export const OpCode = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getAcl: 6,
  setAcl: 7,
  getChildren: 8,
  sync: 9,
  ping: 11,
  getChildren2: 12,
  check: 13,
  multi: 14,
  create2: 15,
  reconfig: 16,
  checkWatches: 17,
  removeWatches: 18,
  createContainer: 19,
  /** Only the leader has it logged: it deletes a znode whose lifetime is over. */
  deleteContainer: 20,
  createTtl: 21,
  multiRead: 22,
  auth: 100,
  setWatches: 101,
  sasl: 102,
  getEphemerals: 103,
  getAllChildrenNumber: 104,
  setWatches2: 105,
  addWatch: 106,
  whoAmI: 107,
  // ClickHouse Keeper's. Source: its ZooKeeperConstants.
  filteredList: 500,
  checkNotExists: 501,
  createIfNotExists: 502,
  removeRecursive: 503,
  checkStat: 504,
  tryRemove: 505,
  filteredListWithStatsAndData: 506,
  listRecursive: 507,
  closeSession: -11,
  /** Only in the results of a multi. */
  error: -1,
} as const;

/** The request numbers that a client does not count up. */
export const Xid = { watchEvent: -1, ping: -2, auth: -4, setWatches: -8 } as const;

export const KEEPER_STATE_SYNC_CONNECTED = 3;
