#!/bin/bash
# Memory and time of audits of very many small objects: 10,000, 100,000 and 1,000,000, synthesised by the lab.
#
#   benches/scale.sh [NUMBER...]
#
# For each number: a first run with a ledger, a run in which nothing is due, the same with -v and with all output files,
# and a run that is killed halfway, taken up, and run once more. Prints the peak memory (VmHWM), the time for each object
# and the number of HEAD requests of each run. A million objects take 6 GB of memory for the lab. SCALE_RUNS selects
# runs (first,due,verbose,files,killed; `killed` needs `first`), CARGO_FLAGS names a profile, such as --release.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 10000 100000 1000000
flags=${CARGO_FLAGS:-}
for number in "$@"; do
  # The flags are words.
  # shellcheck disable=SC2086
  SCALE_OBJECTS=$number SCALE_RUNS=${SCALE_RUNS:-first,due,verbose,files,killed} \
    cargo test $flags --quiet --test audit -- --ignored --nocapture memory_does_not_grow </dev/null | grep "$number"
done
