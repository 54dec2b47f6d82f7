#!/bin/sh
# The commands of ZooKeeper's script that make sense in a container. Further arguments are flags of `zooid serve`.
set -eu

command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  start-foreground)
    exec zooid serve --container-variables "$@"
    ;;
  print-cmd)
    echo "zooid serve --container-variables $*"
    ;;
  status)
    # Of this server, as ZooKeeper's script: whether others serve is not this container's health.
    exec zooid status --named --server "zk://127.0.0.1:${CLIENT_PORT:-2181}" "$@"
    ;;
  version)
    exec zooid --version
    ;;
  *)
    echo "zkServer.sh of zooid has start-foreground, status, version and print-cmd: a container runs one program, which it ends with" >&2
    exit 1
    ;;
esac
