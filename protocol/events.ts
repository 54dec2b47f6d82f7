/**
 * Every event that a node logs, with its level and what it means. `docs/operations/events.md` is made from this list, and
 * `docs/operations/failures.md` is checked against it.
 */
export const EVENTS = {
  // Elections and roles
  looking: { level: "info", meaning: "the node looks for a leader" },
  elected: { level: "info", meaning: "a quorum agrees on who should try to lead" },
  establishing: {
    level: "info",
    meaning: "the node has its quorum's promises and commits the first record of its epoch",
  },
  leading: { level: "info", meaning: "the node leads: its epoch is established" },
  following: { level: "info", meaning: "the node follows: its leader's epoch is established here" },
  stillNoLeader: {
    level: "warn",
    meaning: "the node has known no leader for a while: who counts, who is missing, what to do",
  },
  deposed: { level: "info", meaning: "another node has been promised a later epoch" },
  handingOver: { level: "info", meaning: "the leader hands leadership over to this node" },
  takingOver: {
    level: "info",
    meaning: "the node stands for election since its leader asked it to",
  },
  handedOver: { level: "info", meaning: "the node that leadership was handed over to leads" },
  handoverFailed: {
    level: "warn",
    meaning: "leadership was not handed over; the reason says who leads",
  },
  noEpochLeft: { level: "error", meaning: "epochs are used up; no node can lead any more" },
  epochTooFarAhead: {
    level: "warn",
    meaning: "a peer names an epoch further ahead than an honest one can",
  },
  peerContradiction: {
    level: "error",
    meaning: "a peer says what cannot be true if it keeps to the protocol",
  },

  // Belonging to an ensemble
  noEnsembleYet: {
    level: "warn",
    meaning: "the folder belongs to no ensemble: all members must be up together once",
  },
  otherMembers: { level: "warn", meaning: "another node was started with other members" },
  twoProcessesOfOneId: {
    level: "warn",
    meaning: "no ensemble is founded while two processes have one id",
  },
  numberTaken: {
    level: "warn",
    meaning: "there is an ensemble in which another folder has this node's number",
  },
  waitingForAdmission: {
    level: "warn",
    meaning: "the node waits until the ensemble takes its folder in",
  },
  belongsToEnsemble: { level: "info", meaning: "the folder belongs to an ensemble from now on" },
  configurationLearned: {
    level: "info",
    meaning: "a later configuration of the ensemble is in force",
  },
  configurationStored: { level: "info", meaning: "the configuration is durable here" },
  joinRefused: { level: "warn", meaning: "the ensemble does not take this folder in" },
  replacementRefused: {
    level: "warn",
    meaning: "the leader does not take another folder in under a number",
  },
  guestAdmitted: {
    level: "info",
    meaning: "the leader takes a new folder in as a guest, which does not vote yet",
  },
  numberBound: { level: "info", meaning: "the leader binds a number to another folder" },
  anotherProcessWithThisId: { level: "error", meaning: "another process has this node's id" },
  olderIncarnation: {
    level: "error",
    meaning: "a process runs on an old copy of a folder that was used since",
  },
  otherEnsemble: {
    level: "error",
    meaning: "a node of another ensemble has the same ensemble name",
  },
  refusedByPeer: { level: "error", meaning: "another node refuses what this one sends" },
  malformedPeerMessage: { level: "error", meaning: "a message between nodes is not one" },
  messageWithoutSender: {
    level: "warn",
    meaning: "a message between nodes does not say whose it is",
  },
  peerNotAuthenticated: {
    level: "error",
    meaning: "a message between nodes is not signed with the peer key",
  },

  // Votes, and what disks have forgotten
  withoutVote: {
    level: "warn",
    meaning: "the node may have forgotten what it acknowledged or promised: it has no vote",
  },
  stillWithoutVote: { level: "warn", meaning: "the node has no vote yet" },
  voteRegained: { level: "info", meaning: "the marker of a lost vote is gone from the disk" },
  votesAgain: { level: "info", meaning: "the node votes again" },
  voterForgotAcknowledged: {
    level: "error",
    meaning: "a voter no longer holds what it has acknowledged",
  },
  folderLostAcknowledged: {
    level: "error",
    meaning: "the data folder has lost what was acknowledged with it",
  },
  folderOlderThanRemembered: {
    level: "warn",
    meaning: "the data folder is older than what the others remember of it",
  },

  // The admin server
  adminListening: { level: "info", meaning: "the admin server answers at this URL" },
  adminWithoutToken: {
    level: "warn",
    meaning:
      "the admin server is reached from elsewhere and has no token: it tells nothing of clients and znodes",
  },
  adminChange: { level: "info", meaning: "somebody has set something back, or set it, over HTTP" },
  adminWrite: {
    level: "info",
    meaning:
      "somebody changes a znode over HTTP: before it is asked for, and with what came of it; it is logged whatever the level is",
  },
  adminFailed: { level: "error", meaning: "a bug: a request to the admin server was not answered" },

  // The log
  logRecovered: { level: "info", meaning: "the log has been read" },
  tornWriteCut: { level: "warn", meaning: "a last write that a crash cut short was removed" },
  damaged: { level: "warn", meaning: "records, a snapshot or a promise are damaged or missing" },
  setAside: { level: "warn", meaning: "a damaged file was kept under another name" },
  unknownFiles: { level: "warn", meaning: "the data folder holds files that are not this node's" },
  installedBesideLog: {
    level: "warn",
    meaning: "a crash left an installed snapshot beside the log that it replaces",
  },
  truncating: { level: "info", meaning: "records that the leader's log contradicts are removed" },
  recordRefused: { level: "warn", meaning: "a record of a peer is damaged" },
  recordsNotContiguous: { level: "warn", meaning: "records of a peer do not follow each other" },
  batchTooLarge: { level: "warn", meaning: "a batch is larger than a record may be" },
  appendDropped: { level: "debug", meaning: "records were dropped for want of disk space" },
  segmentStarted: { level: "debug", meaning: "a new segment of the log was begun" },
  segmentPurged: {
    level: "debug",
    meaning: "a segment is in a snapshot and was removed from the log",
  },
  spareDropped: { level: "debug", meaning: "a spare segment was given up for its disk space" },

  // Snapshots
  snapshotStored: { level: "info", meaning: "a snapshot of this node is durable" },
  snapshotRefused: { level: "warn", meaning: "a snapshot of this node was given up" },
  snapshotTransferStarted: {
    level: "info",
    meaning: "the node is too far behind for the log: it gets its leader's snapshot",
  },
  snapshotTransferDropped: {
    level: "info",
    meaning: "a leader's snapshot is no longer wanted, or is not available",
  },
  snapshotInstalled: {
    level: "info",
    meaning: "a leader's snapshot has taken the place of the log",
  },
  installRefused: { level: "warn", meaning: "a leader's snapshot was not installed" },
  snapshotLoaded: { level: "info", meaning: "every lane has the state of a snapshot" },

  // Disk space and memory
  diskNearlyFull: {
    level: "warn",
    meaning: "no further space could be prepared; what is prepared is the reserve",
  },
  diskFull: { level: "warn", meaning: "the disk is full: the log takes no appends" },
  writable: { level: "info", meaning: "the log takes appends again" },
  diskHasSpaceAgain: {
    level: "info",
    meaning: "the node's disk has space for a whole segment again",
  },
  writesRefused: { level: "warn", meaning: "clients' writes are refused for want of disk space" },
  growthRefused: {
    level: "warn",
    meaning: "clients' writes that grow the tree are refused for want of memory",
  },
  writesAdmitted: { level: "info", meaning: "all writes of clients are taken again" },
  treeFull: { level: "warn", meaning: "the tree has come to its limit of memory" },
  treeFits: { level: "info", meaning: "the tree is well below its limit of memory again" },
  quotaExceeded: {
    level: "warn",
    meaning: "a write goes beyond a quota, or was refused over it; said of a quota once a minute",
  },
  watchesFull: { level: "warn", meaning: "a lane has as many watches as it takes" },
  watchesFit: { level: "info", meaning: "a lane takes watches again" },
  placement: { level: "info", meaning: "how the node's work is shared out to threads, and why" },
  openFilesLow: { level: "warn", meaning: "the limit of open files leaves few for connections" },

  // Clients
  sessionExpires: {
    level: "info",
    meaning: "a session was not heard of for its timeout, and is ended",
  },
  znodesReaped: {
    level: "info",
    meaning: "the leader deletes containers and znodes with a TTL whose time is over",
  },
  sessionExpired: {
    level: "info",
    meaning: "a client came with a session that is over, or its session ended",
  },
  sessionDelayed: {
    level: "info",
    meaning:
      "a client waits for its session, since more are asked for at once than the tokens allow",
  },
  sessionMoved: {
    level: "info",
    meaning: "a connection was closed: its session is attached elsewhere",
  },
  connectionRefused: {
    level: "warn",
    meaning: "a client was turned away, or its connection was closed over what it sent",
  },
  retiring: {
    level: "info",
    meaning: "the node is about to stop: its clients are moved to other nodes",
  },
  certificatesRenewed: {
    level: "info",
    meaning:
      "files of TLS have changed, and what they hold is shown from now on: to clients that come (`of=clients`), to operators that come to the admin server (`of=admin`), to NATS servers at the next connection (`of=nats`)",
  },
  certificatesRefused: {
    level: "error",
    meaning: "files of TLS have changed and cannot be used; what was there before is shown on",
  },
  cutOff: { level: "warn", meaning: "a client that does not read was cut off" },
  wrongPassword: { level: "warn", meaning: "a client gave a wrong password for a session" },
  connectionFailed: { level: "error", meaning: "a bug cost a client its connection" },
  closedWithoutLeader: {
    level: "warn",
    meaning: "connections were closed: there has been no leader for too long",
  },
  readOnlyEnded: {
    level: "info",
    meaning: "there is a leader again: connections that could only read were closed",
  },
  closedOutOfContact: {
    level: "warn",
    meaning: "connections were closed: their sessions may have ended meanwhile",
  },
  closedForSnapshot: {
    level: "warn",
    meaning: "connections were closed: a snapshot has replaced what they had seen",
  },
  closedAfterFailure: {
    level: "warn",
    meaning: "connections were closed after a failure that concerned them all",
  },

  // Operations that cannot be applied
  applyFailed: {
    level: "error",
    meaning: "a committed operation cannot be applied, which is a bug",
  },
  operationFailed: {
    level: "error",
    meaning: "how to look at the operation that could not be applied, and to skip it",
  },
  operationFailedBefore: {
    level: "warn",
    meaning: "an operation could not be applied at an earlier start",
  },

  // NATS
  waitingForNats: { level: "warn", meaning: "no NATS server can be reached yet" },
  natsConnected: { level: "info", meaning: "the connection to NATS is there again" },
  natsDisconnected: { level: "warn", meaning: "the connection to NATS is lost" },
  feedDropped: {
    level: "warn",
    meaning:
      "NATS does not take messages fast enough for the change feed; its subscribers see a gap",
  },
  natsCongested: {
    level: "warn",
    meaning: "NATS does not take messages fast enough; what does not fit is dropped",
  },
  natsError: { level: "error", meaning: "NATS reports an error" },
  natsPermission: { level: "error", meaning: "NATS does not permit a subject" },
  natsHandlerFailed: {
    level: "error",
    meaning: "a message from NATS could not be handled, which is a bug",
  },
  messageTooLarge: { level: "error", meaning: "a message is larger than can be sent" },
  natsOpenToStrangers: {
    level: "warn",
    meaning: "the NATS server lets everybody publish as a node, and no peer key is set",
  },

  // Operators
  operatorCommand: { level: "info", meaning: "an operator has asked this node to do something" },
  operatorRefused: {
    level: "warn",
    meaning: "what came for operators is no question, or is not signed with the peer key",
  },
  operatorFailed: { level: "error", meaning: "a bug: a question of an operator was not answered" },

  // The process
  restarting: {
    level: "info",
    meaning: "an operator has this node start again: its process ends with the exit code 75",
  },
  failed: {
    level: "error",
    meaning: "an actor threw, which is a bug; its supervision decides what follows",
  },
  undelivered: { level: "warn", meaning: "a message found no actor, or a full mailbox" },
  startFailed: { level: "error", meaning: "the node did not start" },
  logLevelChanged: { level: "info", meaning: "from now on another level is logged" },
  stopNode: { level: "error", meaning: "the node stops" },
  laneSilent: {
    level: "error",
    meaning:
      "a thread of the node has not answered in time, so systemd's watchdog is not told that it lives",
  },
  serviceManagerUnreached: {
    level: "warn",
    meaning: "`systemd-notify` could not tell systemd how the node is",
  },
  slowStep: {
    level: "warn",
    meaning: "an actor was busy with one message for as long as `--slow-step-ms`",
  },
  slowTurn: {
    level: "info",
    meaning: "a thread was busy with several messages for as long as `--slow-step-ms`",
  },
  warning: { level: "warn", meaning: "a setting is legal and probably not meant" },
  keysWithoutEffect: {
    level: "info",
    meaning: "keys of the `zoo.cfg` that do nothing here; `zooid serve --check` gives the reasons",
  },
} as const;

/** Events that no level drops: who relies on them must find them. */
export const ALWAYS_LOGGED: ReadonlySet<string> = new Set<keyof typeof EVENTS>(["adminWrite"]);

export type EventName = keyof typeof EVENTS;
