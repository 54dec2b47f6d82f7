/** What the definitions of the commands and the commands themselves must have in common. */

/** The operands. */
export const FOLDER = "data-dir";
export const FILE = "file";
export const ZOOKEEPER_FOLDER = "zookeeper-dir";

export const SERVER_DEFAULT = "127.0.0.1:2181";
/** The exit code when the node leads and `--unless-leader` was given: nothing was done. */
export const EXIT_LEADER = 3;
