/** Every limit, in one place, with what happens when it is reached. */

/** Bytes of one packet of ZooKeeper's protocol (its jute.maxbuffer, which may say less). A larger one closes the connection. */
export const PACKET_BYTES_MAX = 0xf_ffff;

/** Bytes of a longer one that is received to its end and answered, before its connection is closed. Beyond it, it is closed at once. */
export const OVERSIZED_BYTES_MAX: number = 16 * 1024 * 1024;

/**
 * UTF-16 units of a znode's path. A longer one is no path: it cannot be created, and a read of it is answered NoNode. Beyond 16,383
 * units V8 uses a string's length as its hash, so a map of such paths would degenerate to a list.
 */
export const PATH_LENGTH_MAX = 8192;

/** Names in a path. A path with more is treated like one that is too long. */
export const PATH_COMPONENTS_MAX = 1024;

/** Entries of an access control list. A longer list is answered InvalidACL. */
export const ACL_ENTRIES_MAX = 64;

/** UTF-16 units of an id in an access control list, or of an identity. A list with a longer one is answered InvalidACL. */
export const IDENTITY_LENGTH_MAX = 1024;

/**
 * Bytes of a handshake, which has 45 in ZooKeeper's clients. A longer one is read too, while there are not more connections of a lane
 * with such a handshake than the next number says: nobody is known yet for whom that memory is.
 */
export const HANDSHAKE_BYTES_USUAL = 1024;
export const LONG_HANDSHAKES_MAX = 64;

/**
 * Identities that a connection may prove. One more, or one that is longer than the limit above, is answered AuthFailed, which ends the
 * connection.
 */
export const IDENTITIES_MAX = 32;

/** Bytes of a client's token in a login by SASL. A longer one is a failed login, as in ZooKeeper. */
export const SASL_TOKEN_BYTES_MAX = 4096;

/** Operations of a multi or reads of a multiRead, which hold no further ones. More are answered BadArguments, all of them. */
export const MULTI_OPERATIONS_MAX = 32_768;

/**
 * Znodes that one removeRecursive deletes at most, whatever limit it names: a larger tree is answered NotEmpty, as one above the client's
 * limit. All of them in one record look at no more znodes than the next number says, where one with a long path counts as one more for each
 * so many characters as the last one says; what is beyond is answered ThrottledOp.
 */
export const REMOVE_RECURSIVE_MAX = 10_000;
export const REMOVE_RECURSIVE_RECORD_MAX = 32_768;
export const REMOVE_RECURSIVE_PATH_UNIT = 128;

/**
 * Children of a list with Stats or data, and znodes that a listRecursive looks at. One that asks for more is answered ThrottledOp. So is
 * an answer with more bytes of data, or of paths, than the next number says. A znode that was looked at counts as so many bytes of an answer
 * as the last one says, whether it is in the answer or not.
 */
export const LISTED_MAX = 50_000;
export const LISTED_BYTES_MAX: number = 8 * 1024 * 1024;
export const LOOKED_AT_BYTES = 32;

/** Children in one page of a native client's. One that asks for more gets as many. */
export const PAGE_CHILDREN_MAX = 10_000;

/** Children of which a native client may ask for the Stats at once. A request with more is answered BadArguments. */
export const CHILD_STATS_MAX = 1000;

/** Paths in an answer to changedPaths; a request for more is answered BadArguments. */
export const CHANGED_PATHS_MAX = 1000;
/** Characters of the paths in one such answer, but for the last. */
export const CHANGED_UNITS_SOFT_MAX: number = 64 * 1024;
/** Changes that are looked at for one such answer, and somewhat more: all of a zxid. */
export const CHANGED_LOOKED_MAX = 16_384;

/** Names by which a page says where it goes on: behind the last of them that is where it was. A request with more is answered BadArguments. */
export const PAGE_AFTER_MAX = 16;

/**
 * Bytes of the answers in a multiRead, about, at which the members behind are answered ThrottledOp: a few members can ask for the same
 * large znode many times over.
 */
export const MULTI_READ_BYTES_SOFT_MAX: number = 4 * 1024 * 1024;

/**
 * Paths in one request that sets watches again; ZooKeeper's client puts at most 128 KiB into one. A request with more is
 * answered BadArguments.
 */
export const WATCHES_PER_REQUEST_MAX = 32_768;

/** Watches of one connection. A read that asks for a further one is answered BadArguments, and is not done. */
export const WATCHES_PER_CONNECTION_MAX = 1_000_000;

/** Operations in one batch. More wait for the next batch. */
export const BATCH_OPERATIONS_MAX = 1024;

/** Znodes whose end a leader's reaper proposes at once. Others wait until those are done. */
export const REAPED_AT_ONCE_MAX = 100;

/** Znodes with a lifetime that a tree looks at in one turn for the reaper. The reaper asks again for the others. */
export const LIFETIMES_LOOKED_AT_MAX = 8192;

/**
 * Bytes at which a batch takes no further operation. One operation alone may be as large as a packet, and takes a batch of its own.
 */
export const BATCH_BYTES_SOFT_MAX: number = 1024 * 1024;

/** Bytes of one record. The two limits above keep every batch below it; a leader refuses a larger batch. */
export const RECORD_BYTES_MAX: number = 4 * 1024 * 1024;

/** Batches a submitter has under way without their results. Further writes wait in the next batch. */
export const SUBMITTER_BATCHES_IN_FLIGHT_MAX = 4;

/** Bytes of records a leader lets wait for a quorum. Further batches wait at their submitters. */
export const LEADER_UNCOMMITTED_BYTES_MAX: number = 64 * 1024 * 1024;

/** Batches that wait at a leader while it hands leadership over. Submitters send what does not fit again. */
export const HELD_BATCHES_MAX = 4096;

/**
 * Records of a leader that wait for a quorum, up to which it asks followers to say `accepted` to all (`actors/log-sync/asking.ts`).
 * With more, appends follow each other so closely that the commit mark travels with them and costs nothing, whereas each `accepted`
 * to all is received by all. Then followers say it to the leader only. Measured: docs/decisions/0023-counting.md.
 */
export const ASKING_RECORDS_MAX = 8;

/**
 * Bytes of the most recent records kept in memory, for peers that missed some. Older ones are read from the log. The limit is above
 * LEADER_UNCOMMITTED_BYTES_MAX, so that every uncommitted record is in memory.
 */
export const RECENT_RECORDS_BYTES_MAX: number = 96 * 1024 * 1024;

/** Bytes in one message to a peer that catches up. */
export const CATCH_UP_BYTES_MAX: number = 1024 * 1024;

/** Bytes of changes that a lane keeps for change streams. A stream that asks for older ones is answered `compacted`. */
export const CHANGE_RING_BYTES_MAX: number = 32 * 1024 * 1024;

/**
 * Changes that are looked through when a client sets watches again that stay, and those for all that one connection sets. If it has missed
 * more, it is told of none of them, as by ZooKeeper.
 */
export const REPLAY_CHANGES_MAX = 131_072;
export const REPLAY_CONNECTION_CHANGES_MAX: number = 4 * REPLAY_CHANGES_MAX;

/** Events of changes that a client has missed. If there are more, it is told of none of them. */
export const REPLAY_EVENTS_MAX = 16_384;

/** Requests of one connection that wait for their replies. At the limit the connection is not read until some are answered. */
export const CONNECTION_REQUESTS_MAX = 4096;

/**
 * Bytes written to one connection that its client has not read yet, before the next write; one answer may be larger. A connection
 * above the limit that causes another answer is closed.
 */
export const CONNECTION_UNSENT_BYTES_MAX: number = 16 * 1024 * 1024;

/** Bytes written to one connection since its client had last read everything. Beyond it, further replies and requests wait. */
export const CONNECTION_UNSENT_BYTES_SOFT_MAX: number = 1024 * 1024;

/**
 * Bytes of answers to one connection's reads that wait to be written. Beyond it no further read of that connection begins (one
 * answer alone may be larger).
 */
export const CONNECTION_ANSWER_BYTES_SOFT_MAX: number = 1024 * 1024;

/** Bytes that the unanswered requests of one connection take in memory. At the limit the connection is not read. */
export const CONNECTION_REQUEST_BYTES_MAX: number = 4 * 1024 * 1024;

/**
 * Bytes that a request takes in memory beside its frame, and as much again for each member of a multi. A write grows the tree by less
 * than this beside its own bytes, so the memory of the requests under way bounds how much the tree can still grow.
 */
export const REQUEST_OVERHEAD_BYTES = 512;

/** Bytes that a further entry of an access control list takes in memory, beside its frame: the tree keeps it. */
export const ACL_ENTRY_BYTES = 128;

/**
 * Bytes that all connections of one gateway hold in requests, answers and unsent bytes; less where the heap is small. At the limit, a
 * connection that holds any is not read, and none of its reads begins.
 */
export const GATEWAY_HELD_BYTES_MAX: number = 256 * 1024 * 1024;

/**
 * Results of numbered writes that the tree keeps of one session, until its client is known to have had them, and their bytes, about. A write
 * beyond is answered ThrottledOp, and is not done. `zooid/client` stays below both. So is one of a session with more bytes than the third
 * number says, while those of all sessions are more than the fourth one says.
 */
export const KEPT_RESULTS_MAX = 4096;
export const KEPT_RESULTS_BYTES_MAX: number = 8 * 1024 * 1024;
export const KEPT_RESULTS_SHARE_BYTES: number = 32 * 1024;
export const KEPT_RESULTS_ALL_BYTES_MAX: number = 128 * 1024 * 1024;

/** Results that stay for a client which writes no more. With more its gateway has logged that the client has had them. */
export const KEPT_RESULTS_IDLE_MAX = 64;

/** Clients that a gateway lists in its report. Further ones are counted only. */
export const REPORTED_CLIENTS_MAX = 1000;

/**
 * Bytes of the answer to a four-letter word that lists connections, sessions, ephemerals or watches, about. The actors that are asked share
 * them. What has no place is counted, which the end of the answer says.
 */
export const WORD_ANSWER_BYTES_MAX: number = 1024 * 1024;

/** Bytes of the same that lists the watches of a znode, which all lanes share, or of a session, about. */
export const WATCHES_ANSWER_BYTES_MAX: number = 512 * 1024;

/** Bytes of what stands behind a four-letter word. Whoever asks about more is answered that it is too long. */
export const WORD_ARGUMENT_BYTES_MAX: number = 8 * 1024;

/** Ephemerals of a session on a page of the admin server's API. */
export const SESSION_EPHEMERALS_PAGE = 200;

/** Those who wait for the answer to a four-letter word that a lane was asked over NATS. A further one is answered that it is one too many. */
export const WORD_ASKERS_MAX = 64;

/** Milliseconds after which nobody waits for the answer to a four-letter word any more: whoever still does gets none. */
export const WORD_ASKED_MS_MAX = 10_000;

/** Native clients' connections of one lane. A further one is turned away and asks again, perhaps another gateway. */
export const NATIVE_CONNECTIONS_MAX = 10_000;

/**
 * Clients of one lane whose session is not known yet because its replica is behind. A further one is turned away, to ask another
 * node.
 */
export const SESSION_CHECKS_WAITING_MAX = 1_000;

/** Change streams of one native connection. A further one ends the connection. */
export const NATIVE_STREAMS_MAX = 1_000;

/** Bytes at which a frame of the native protocol takes no further item (one item alone may be as large as a packet). */
export const NATIVE_FRAME_BYTES_SOFT_MAX: number = 256 * 1024;

/**
 * Bytes of frames that a native client has not acknowledged. Beyond it no read of the connection begins, and no change is sent.
 */
export const NATIVE_UNTAKEN_BYTES_SOFT_MAX: number = 4 * 1024 * 1024;

/** A native client acknowledges what it has received after this many bytes. */
export const NATIVE_TAKEN_BYTES: number = 512 * 1024;

/** Change streams of readers in a node's own process. A further one ends at once with BadArgumentsError. */
export const CHANGE_READERS_MAX = 1_000;

/**
 * Bytes of changes that wait for a client's credits. Beyond it the stream pauses, and continues later from the changes that the
 * lane keeps.
 */
export const STREAM_PENDING_BYTES_MAX: number = 4 * 1024 * 1024;

/** Bytes of data in a message of the change feed. Longer data is left out of it, which the message says. */
export const FEED_DATA_BYTES_MAX: number = 64 * 1024;

/**
 * Bytes of a subject of the change feed; NATS ends a connection with one of more than 4096. A longer path has a token in the place of its
 * last names.
 */
export const FEED_SUBJECT_BYTES_MAX = 1024;

/** Names of a path for which the change feed says what came before. Who follows more names uses what is said of so many. */
export const FEED_LEVELS_MAX = 16;

/**
 * Recent changes that a new leader publishes again, so that the feed has no gap where its predecessor had not come to the last ones. If it
 * lacked more, subscribers see a gap.
 */
export const FEED_REPEATED_MAX = 1024;

/** The pause between marks of the change feed, which say that nothing is missing. */
export const FEED_MARK_MS = 5000;

/** First names of paths for whose followers there are marks: those that became known last. */
export const FEED_MARKED_MAX = 256;

/** Bytes of paths of which the change feed knows their last change. Subscribers to others are told of a gap where there is perhaps none. */
export const FEED_KNOWN_BYTES_MAX: number = 8 * 1024 * 1024;

/** The fewest snapshots that a node keeps: if the newest is damaged, the log still continues the one before. */
export const SNAPSHOTS_KEPT_MIN = 2;

/** Bytes at which a chunk of a snapshot takes no further entry. The rest goes into the next chunk. */
export const SNAPSHOT_CHUNK_BYTES_SOFT_MAX: number = 1024 * 1024;

/**
 * Bytes of one chunk of a snapshot: the soft limit and one znode, whose data, path and access control list came in a record.
 * A longer one is treated as damaged.
 */
export const SNAPSHOT_CHUNK_BYTES_MAX: number = 8 * 1024 * 1024;

/** Bytes of a configuration file. A larger file is refused, since it must be something else. */
export const CONFIG_FILE_BYTES_MAX: number = 1024 * 1024;

/** Levels of CBOR items inside each other. Deeper bytes are refused; what zooid writes needs less than half of it. */
export const CBOR_DEPTH_MAX = 16;

/** Keys of one CBOR map, and bytes of one key. Beyond it the bytes are refused. */
export const CBOR_KEYS_MAX = 32;
export const CBOR_KEY_BYTES_MAX = 64;

/**
 * CBOR items in one frame of a native client; a request takes about six, and so does each operation of a multi. A multi as large as a packet
 * has fewer, by what `zooid/client` counts for each operation. A frame with more ends the connection.
 */
export const CLIENT_FRAME_ITEMS_MAX: number = 256 * 1024;

/** Connections to the admin server. A further one is closed at once. */
export const ADMIN_CONNECTIONS_MAX = 32;

/** Requests on one connection to the admin server that are not answered yet. One with more is closed. */
export const ADMIN_PIPELINED_MAX = 16;

/** Bytes of the head of a request to the admin server. A longer one is answered 431, and its connection is closed. */
export const ADMIN_HEAD_BYTES_MAX: number = 8 * 1024;

/** Bytes of the body of a request to the admin server, where one has a body: a value in Base64 and what is around it. A longer one is answered 413. */
export const ADMIN_BODY_BYTES_MAX: number = 1536 * 1024;

/** Milliseconds in which the admin server must have received a request. Then it is answered 408, and its connection is closed. */
export const ADMIN_REQUEST_MS_MAX = 10_000;

/** Milliseconds in which nothing may happen on a connection to the admin server, a request that is answered slowly among it. It is then closed. */
export const ADMIN_IDLE_MS_MAX = 30_000;

/**
 * Milliseconds after which a connection to the admin server is closed behind the answer that is then due. One that has been open for two
 * minutes more is closed whatever it does: its client may take no answer in, or have a stream of changes.
 */
export const ADMIN_CONNECTION_MS_MAX = 600_000;
export const ADMIN_CONNECTION_MS_SPARE = 120_000;

/** Milliseconds in which the node must have told the admin server what a request asks for: no longer than WORD_ASKED_MS_MAX, since the admin actor forgets it then. It is answered 503. */
export const ADMIN_ANSWER_MS_MAX = 10_000;

/** A gateway keeps for ten minutes how long requests took, each ten seconds by themselves. */
export const LATENCY_COLUMN_MS = 10_000;
export const LATENCY_COLUMNS = 60;

/** It keeps the same by where requests went, each minute by itself. */
export const LATENCY_PREFIX_COLUMN_MS = 60_000;
export const LATENCY_PREFIX_COLUMNS = 10;

/**
 * So many beginnings of paths are kept apart, of so many UTF-16 units each. One more makes the rarest be counted with what is above it; so is a
 * longer one.
 */
export const LATENCY_PREFIXES_MAX = 64;
export const LATENCY_PREFIX_LENGTH_MAX = 128;

/** Answers of each second that are all counted so, and one in how many of the further ones. */
export const LATENCY_PREFIX_COUNTED = 200;
export const LATENCY_PREFIX_EVERY = 64;

/** Slow requests that a gateway tells of in a second. Further ones are only counted. */
export const SLOW_REQUESTS_PER_SECOND = 16;

/**
 * Slow requests that a node remembers: the last ones, and of those before, the slowest that came within so many milliseconds. The oldest go, and the
 * least slow.
 */
export const SLOW_REQUESTS_LAST = 96;
export const SLOW_REQUESTS_SLOWEST = 32;
export const SLOW_REQUESTS_SLOWEST_MS = 3_600_000;

/** UTF-16 units of the path that is remembered of one. A longer one is cut. */
export const SLOW_PATH_LENGTH_MAX = 512;

/** Records that a leader published, and that took long, of which a node remembers the stages. The oldest go. */
export const SLOW_RECORDS_MAX = 128;

/** How many elections a node remembers, and of how many steps each. */
export const ELECTIONS_KEPT_MAX = 32;
export const ELECTION_STEPS_MAX = 24;

/** Milliseconds after which a change stream over the admin server shows that it is there; fewer than ADMIN_IDLE_MS_MAX. */
export const ADMIN_STREAM_SIGN_MS = 10_000;

/** Change streams over the admin server's API. A further one is answered 503. */
export const API_STREAMS_MAX = 16;

/** Children on a page of the admin server's API. Who asks for more is answered 400. */
export const API_CHILDREN_MAX = 500;

/**
 * Children that a znode may have for its pages to be in the order of their names, each of which takes all names. Those of one with more come
 * as they stand in the tree.
 */
export const API_SORTED_MAX = 10_000;

/** Bytes of names in what a page of such a znode goes on from, of which there is one at least. */
export const API_CURSOR_BYTES_MAX = 1024;

/** Milliseconds between two summaries of changes over the admin server's API; another number is answered 400. */
export const API_SUMMARY_MS_MIN = 250;
export const API_SUMMARY_MS_MAX = 10_000;

/** Paths in such a summary; further ones are only counted. */
export const API_SUMMARY_PATHS_MAX = 200;

/** Sessions on a page of the admin server's API, and characters by which it looks for some. Who asks for more is answered 400. */
export const API_SESSIONS_MAX = 500;
export const API_SESSIONS_FILTER_MAX = 256;

/** Milliseconds after which what a session has sent until then says nothing of its rate. */
export const API_RATE_MS_MAX = 60_000;

/** Milliseconds in which the other nodes must have said how they are, when the API asks them. Who has not is shown as one that does not answer. */
export const API_STATUS_MS_MAX = 1000;

/** Bytes of the file with the token of the admin server, and the fewest characters of a token. Another is refused at the start. */
export const ADMIN_TOKEN_FILE_BYTES_MAX = 4096;
export const ADMIN_TOKEN_LENGTH_MIN = 16;

/** Bytes of a message between an operator and a node over NATS. A longer one is no message: it is not answered, and not waited for. */
export const OPERATOR_MESSAGE_BYTES_MAX = 4096;

/** UTF-16 units of the reason in a node's answer to an operator. A longer one is cut, so that the answer is within its limit. */
export const OPERATOR_REASON_LENGTH_MAX = 512;

/** Questions of operators that a node answers at the same time. A further one is not answered. */
export const OPERATOR_QUESTIONS_MAX = 32;

/** Challenges that a node has given to operators and remembers. Beyond it the oldest is good no more. */
export const OPERATOR_CHALLENGES_MAX = 256;
