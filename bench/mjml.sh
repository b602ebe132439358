#!/usr/bin/env bash
# The MJML layer beside npm's mjml 4.18.0: pages of 10, 100 and 1,000 articles, in warm loops of both,
# in turn, in one run.
#   bench/mjml.sh [NODE_MODULES] [ROUNDS]
# Without a folder that holds mjml 4.18.0, npm brings one into a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
modules=${1:-} rounds=${2:-7}
if [ -z "$modules" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  npm i --silent --no-audit --no-fund --prefix "$work" mjml@4.18.0
  modules=$work/node_modules
fi
cargo build -q --release --bench mjml
bench=$(cargo build -q --release --bench mjml --message-format=json |
  node -e 'const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean).map(JSON.parse)
           console.log(lines.filter((line) => line.target?.name === "mjml" && line.executable).pop().executable)')
NODE_PATH=$modules node bench/mjml.cjs "$bench" "$rounds"
