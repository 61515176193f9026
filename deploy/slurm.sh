#!/bin/bash
# Submits an audit as a job array of Slurm, and a job that merges the shards when all tasks have ended.
#
#   ./slurm.sh SHARDS RESULTS PREFIX [OPTION…]
#   ./slurm.sh 8 /shared/audits/2026-W48 s3://backup --level bytes
#
# RESULTS is a folder that all nodes share, or s3://bucket/run-id/. A task whose node was lost is put into the queue
# again and has the same shard. Prints the id of the merge job; its exit code is that of the audit.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: $0 SHARDS RESULTS PREFIX [OPTION…]" >&2
  exit 2
fi
shards=$1 results=$2
shift 2
program=${STORED_AMI:-stored-ami}

# The words of a command, quoted for the shell of the job.
quoted() { printf '%q ' "$@"; }

array=$(sbatch --parsable --requeue --job-name=stored-ami-audit --array="1-$shards" \
  --wrap="$(quoted "$program" audit "$@" --shard "auto/$shards" --results "$results")")
# Not `afterok`: a shard that found damage ends with 1, and merge names the shards that are missing.
sbatch --parsable --job-name=stored-ami-merge --dependency="afterany:${array%%;*}" \
  --wrap="$(quoted "$program" audit merge "$results")"
