#!/bin/bash
# Which of two commits reads and proves an object with less CPU?
#
#   benches/commits.sh OLD [NEW] [OPTION...]
#
# NEW is HEAD by default. Builds both for release, without EC2, in target/commits; what both depend on is built once.
# Then both read in turn, by benches/peers/run.py, which takes the options (--server nginx-http, --runs 9, …). A ratio
# above 1 together with `slower` in nearly all runs is a regression; the machine must do nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || { sed -n '2,9s/^# \?//p' "$0"; exit 2; }
old=$1 new=HEAD
shift
case ${1:--} in -*) ;; *) new=$1 && shift ;; esac
work=$PWD/target/commits
mkdir -p "$work"

# Builds a commit, and prints the path of its binary.
build() {
  local commit tree
  commit=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "$1 is no commit" >&2; exit 2; }
  if ! [ -x "$work/$commit" ]; then
    tree=$(mktemp -d "$work/tree.XXXXXX")
    git worktree add --quiet --detach "$tree" "$commit"
    (cd "$tree" && CARGO_TARGET_DIR=$work/target cargo build --release --locked --package stored-ami \
      --no-default-features --features cli,s3,lab >&2)
    cp "$work/target/release/stored-ami" "$work/$commit"
    git worktree remove --force "$tree"
  fi
  echo "$work/$commit"
}

before=$(build "$old")
now=$(build "$new")
python3 benches/peers/run.py --before "$before" --tool "$now" "$@"
