#!/usr/bin/env bash
# Writes what belongs into every package beside the binary: manual pages and completions, made by the binary itself.
# Usage: packaging/assets.sh [BINARY]. The files go to target/package, where Cargo.toml names them.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-target/release/stored-ami}
out=target/package
rm -rf "$out"
mkdir -p "$out/completions"
"$binary" man --quiet --out "$out/man"
"$binary" completions bash >"$out/completions/stored-ami"
"$binary" completions zsh >"$out/completions/_stored-ami"
"$binary" completions fish >"$out/completions/stored-ami.fish"
