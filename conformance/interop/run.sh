#!/usr/bin/env bash
# Runs the public JavaScript client against local networks of the reference node, in private and in open mode.
# usage: run.sh ASSAY
set -euo pipefail

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
  echo "usage: $0 ASSAY, the path of the assay binary" >&2
  exit 64
fi
assay="$(realpath "$1")"
cd "$(dirname "$0")"

directory="$(mktemp -d)"
network=""
client=""

# Ends what still runs, the client before its network.
stop() {
  local process
  for process in $client $network; do
    kill "$process" 2>/dev/null || true
    wait "$process" || true
  done
  client=""
  network=""
}
trap 'stop; rm -rf "$directory"' EXIT
# Whoever interrupts this script ends it, and the trap above the rest.
trap 'exit 130' INT TERM

# Waits for the line in which the network announces its nodes; it gives up by itself after half a minute.
announced() {
  until [ "$(wc -l <"$1")" -ge 1 ]; do
    if ! kill -0 "$network" 2>/dev/null; then
      echo "the network ended before it was ready:" >&2
      cat "$2" >&2
      exit 1
    fi
    sleep 0.05
  done
}

# Plays the story in one mode; further arguments are those of `assay node init`.
play() {
  local mode="$1" home="$directory/$1"
  shift
  echo "# $mode mode"
  "$assay" node init --dir "$home" --nodes 4 --propose-ms 100 --poll-ms 20 "$@" >/dev/null
  : >"$home/announced"
  "$assay" --format json node --cluster 4 --dir "$home" >"$home/announced" 2>"$home/log" &
  network=$!
  announced "$home/announced" "$home/log"
  local urls
  mapfile -t urls < <(node -p 'JSON.parse(fs.readFileSync(0)).nodes.map(node => node.rpc).join("\n")' <"$home/announced")
  # In the background, so that an interruption does not wait for its end.
  timeout 300 node interop.mjs --mode "$mode" --owner-key "$home/owner.key" "${urls[@]}" &
  client=$!
  if ! wait "$client"; then
    echo "the network's log:" >&2
    cat "$home/log" >&2
    exit 1
  fi
  stop
}

npm ci --loglevel=error
play private
play open --rule authenticated-reads=off
