#!/bin/sh
# What the container runs: the server, with the options that it is given; or the command of `runyard` that is named; or
# any other program. It becomes that program, so that signals reach it.
set -eu
case ${1:-} in
  '' | -*) set -- runyard server "$@" ;;
  # The one command whose name a program of the system has too.
  sync) set -- runyard "$@" ;;
  *) command -v "$1" >/dev/null || set -- runyard "$@" ;;
esac
exec "$@"
