#!/usr/bin/env bash
# Mails a second: `letterpress send` and Postfix's smtp-source, in turn, into the same smtp-sink.
#   bench/send.sh [MAILS] [CONNECTIONS] [PAIRS]
# Needs Postfix's smtp-sink and smtp-source (Debian: postfix) and a release build.
set -euo pipefail
cd "$(dirname "$0")/.."
mails=${1:-5000} connections=${2:-8} pairs=${3:-5} port=2626
export PATH=$PATH:/usr/sbin
letterpress=$PWD/target/release/letterpress
[ -x "$letterpress" ] || cargo build --release
sink=
work=$(mktemp -d)
trap '[ -z "$sink" ] || kill "$sink"; rm -rf "$work"' EXIT

"$letterpress" -q init "$work/news" >/dev/null
cd "$work/news"
# An issue whose mail has about 30 KB.
{ printf '+++\nsubject = "A letter for {{ subscriber.first_name }}"\n+++\n\n'
  for _ in $(seq 26); do
    echo 'Dear {{ subscriber.first_name }}, the letter waits and the reader does not; type is set, proofs are pulled, and the press goes on until the last sheet of the last ream has been printed, folded and put into its envelope.'; echo
  done; } >issues/bench.md
{ echo email,first_name,plan,topics; for i in $(seq "$mails"); do echo "reader$i@example.com,Reader$i,free,type"; done; } >subscribers/list.csv
echo email >subscribers/suppressions.csv
export LETTERPRESS_RELAY__URL=smtp+plain://127.0.0.1:$port LETTERPRESS_RELAY__RATE=max
export LETTERPRESS_RELAY__CONNECTIONS=$connections LETTERPRESS_RELAY__MESSAGES_PER_CONNECTION=1000000
"$letterpress" -q build bench --as reader1@example.com >/dev/null
size=$(stat -c %s out/bench/message.eml)

user=(); [ "$(id -u)" = 0 ] && user=(-u nobody)
smtp-sink "${user[@]}" 127.0.0.1:$port 200 & sink=$!
python3 - "$port" <<'PY'
import socket, sys, time
for _ in range(100):
    try: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1).close(); break
    except OSError: time.sleep(0.05)
PY
now() { date +%s.%N; }
echo "$mails mails of $size bytes, $connections connections, $(nproc) cores"
echo "source/s  send/s (delivery alone)  send/s (whole command)  ratio"
for _ in $(seq "$pairs"); do
  a=$(now); smtp-source -d -s "$connections" -m "$mails" -l "$size" -f a@example.com -t b@example.com 127.0.0.1:$port; b=$(now)
  rm -rf .letterpress/ledger.db* .letterpress/campaigns issues/bench.sent.toml
  c=$(now); json=$("$letterpress" send bench --yes --json); d=$(now)
  python3 - "$mails" "$a" "$b" "$c" "$d" "$json" <<'PY' | tee -a "$work/pairs"
import json, sys
n = int(sys.argv[1]); a, b, c, d = map(float, sys.argv[2:6]); s = json.loads(sys.argv[6])
assert s["sent"] == n, s
source, alone, whole = n / (b - a), n / s["seconds"], n / (d - c)
print(f"{source:8.0f} {alone:14.0f} {whole:22.0f} {alone / source:18.2f}")
PY
done
sort -k4 -n "$work/pairs" | awk '{r[NR]=$4} END {print "median ratio (delivery alone / smtp-source):", r[int((NR+1)/2)]}'
