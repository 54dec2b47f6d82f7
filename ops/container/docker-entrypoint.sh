#!/bin/sh
# Becomes what the container runs, so that it is process 1 and gets the signals of the engine.
set -eu

# The image's user is 1000. Whoever starts it as root, as for volumes of another owner, has them handed to that user first.
if [ "$(id -u)" = 0 ] && [ "${1:-}" = zkServer.sh ]; then
  chown -R 1000:1000 "$ZOO_DATA_DIR" "$ZOO_DATA_LOG_DIR"
  exec setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs "$0" "$@"
fi

exec "$@"
