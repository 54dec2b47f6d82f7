#!/bin/sh
# `zkCli.sh [-server HOST:PORT,…/CHROOT] [COMMAND …]`: one command of zkCli, or those that are typed.
set -eu

server=127.0.0.1:2181
while [ $# -gt 0 ]; do
  case $1 in
    -server)
      server=$2
      shift 2
      ;;
    -timeout | -client-configuration)
      echo "zkCli.sh of zooid does not take $1" >&2
      shift 2
      ;;
    -waitforconnection | -r)
      shift
      ;;
    *) break ;;
  esac
done

if [ $# -eq 0 ]; then
  exec zooid shell --server "zk://$server"
fi
# Each argument is one word of the shell, whatever is in it.
for word in "$@"; do
  printf '"%s" ' "$(printf %s "$word" | sed 's/["\\]/\\&/g')"
done | zooid shell --server "zk://$server"
