#!/bin/sh
# `zkCli.sh [-server HOST:PORT,…/CHROOT] [COMMAND …]`: one command of zkCli, or those that are typed.
set -eu

server=127.0.0.1:2181
timeout=
while [ $# -gt 0 ]; do
  case $1 in
    -server)
      server=$2
      shift 2
      ;;
    -timeout)
      timeout="--session-timeout-ms $2"
      shift 2
      ;;
    -client-configuration)
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
  # shellcheck disable=SC2086 # A flag and its number, or nothing.
  exec zooid shell --server "zk://$server" $timeout
fi
# Each argument is one word of the shell. A line ends a command there, so a word that holds one would be another command.
newline='
'
for word in "$@"; do
  case $word in
    *"$newline"*)
      echo "zkCli.sh of zooid takes no argument with a new line in it: use zooid set, which reads data from a pipe" >&2
      exit 2
      ;;
  esac
done
# shellcheck disable=SC2086
for word in "$@"; do
  printf '"%s" ' "$(printf %s "$word" | sed 's/["\\]/\\&/g')"
done | zooid shell --server "zk://$server" $timeout
