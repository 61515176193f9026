#!/bin/bash
# Tries slurm.sh with a real Slurm of one node on loopback, and the lab in place of S3: an array of 4 shards over 400
# objects, of which one task is killed and put into the queue again, and one is cancelled. `audit merge` must name the
# missing shard, and with all of them say the same as one run.
#
#   deploy/try-slurm.sh [PROGRAM]       PROGRAM is target/release/stored-ami by default
#
# Needs root, and Debian's packages slurm-wlm, munge, curl and python3, which it installs where it can. Where it cannot,
# it says so and ends with 0. Everything but the packages is in a temporary folder, which is removed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:-$here/../target/release/stored-ami}")
began=$SECONDS

skip() {
  echo "skipped: $1"
  exit 0
}
[ "$(id -u)" = 0 ] || skip "Slurm and munge are started as root"
for command in slurmctld:slurm-wlm munged:munge curl:curl python3:python3; do
  command -v "${command%:*}" >/dev/null || [ -x "/usr/sbin/${command%:*}" ] ||
    timeout 300 apt-get install -y --no-install-recommends "${command#*:}" >/dev/null 2>&1 </dev/null ||
    skip "the package ${command#*:} cannot be installed"
done
PATH=$PATH:/usr/sbin

dir=$(mktemp -d)
chmod 755 "$dir"
mkdir -p "$dir"/{state,spool,objects,out}
finish() {
  for name in slurmd slurmctld lab munged; do
    [ ! -s "$dir/$name.pid" ] || kill "$(cat "$dir/$name.pid")" 2>/dev/null || true
  done
  rm -rf "$dir"
}
trap finish EXIT
failed() {
  echo "FAILED: $1"
  tail -n 20 "$dir"/*.log "$dir"/out/* 2>/dev/null || true
  exit 1
}
# Waits up to a minute until a command succeeds.
until_true() {
  local end=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# The node.
node=$(hostname -s)
cat >"$dir/slurm.conf" <<END
ClusterName=try
SlurmctldHost=$node(127.0.0.1)
AuthType=auth/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmdSpoolDir=$dir/spool
StateSaveLocation=$dir/state
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SlurmUser=root
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF=$dir/slurm.conf
if [ ! -S /run/munge/munge.socket.2 ]; then
  install -d -o munge -g munge /run/munge
  [ -s /etc/munge/munge.key ] || su -s /bin/bash munge -c mungekey
  su -s /bin/bash munge -c munged
  cp /run/munge/munged.pid "$dir/munged.pid"
fi
slurmctld
slurmd
ready() { sinfo -h -o %t | grep -qE 'idle|mix'; }
until_true ready || failed "the node does not become ready"

# The archive: 400 objects, one of them damaged at rest.
"$program" lab --listen 127.0.0.1:0 --latency 40 --data "$dir/lab" >"$dir/lab.log" 2>&1 </dev/null &
echo $! >"$dir/lab.pid"
until_true grep -q 'lab ready at' "$dir/lab.log" || failed "the lab does not start"
AWS_ENDPOINT_URL=$(grep -o 'http://[0-9.:]*' "$dir/lab.log" | head -n 1)
export AWS_ENDPOINT_URL AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=lab AWS_SECRET_ACCESS_KEY=lab
put=(curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 --user lab:lab)
"${put[@]}" -X PUT "$AWS_ENDPOINT_URL/archive"
for number in $(seq -w 400); do
  head -c 3000 /dev/urandom >"$dir/objects/$number"
  printf 'upload-file = "%s"\nurl = "%s/archive/ami-%08d.bin"\n' "$dir/objects/$number" "$AWS_ENDPOINT_URL" "$((10#$number))"
done >"$dir/uploads"
"${put[@]}" -K "$dir/uploads" >/dev/null
bytes=$dir/lab/archive/bytes/ami-00000123.bin
byte=$(dd if="$bytes" bs=1 skip=1000 count=1 status=none | od -An -tu1)
printf '%b' "\\0$(printf %o $((byte ^ 1)))" | dd of="$bytes" bs=1 seek=1000 conv=notrunc status=none

# The array. One task is killed while it runs, and starts again; another one is cancelled.
cd "$dir/out"
results=$dir/results
merge=$(STORED_AMI=$program "$here/slurm.sh" 4 "$results" s3://archive --level bytes)
array=$(squeue -h -o %F -n stored-ami-audit | head -n 1)
state() { squeue -h -r -o %T -j "$1" 2>/dev/null; }
is() { [ "$(state "$1")" = "$2" ]; }
ended() { [ -z "$(state "$1")" ]; }
until_true is "${array}_2" RUNNING || failed "task 2 does not run"
scancel "${array}_3"
scontrol requeue "${array}_2"
# A task that is put into the queue again waits for a while, unless it is released.
until_true is "${array}_2" PENDING || failed "task 2 is not in the queue again"
scontrol update "jobid=${array}_2" StartTime=now
until_true ended "$merge" || failed "the merge job does not end"
grep -q 'shards 3/4 are missing' "$dir/out/slurm-$merge.out" || failed "merge does not name the missing shard"
ls "$results"/shard-2-of-4-*.jsonl >/dev/null || failed "the task that was killed has no result"

# The missing shard, and one run of everything.
sbatch --wait --wrap="$program audit s3://archive --level bytes --shard 3/4 --results $results" >/dev/null || true
merged=0 alone=0
"$program" audit merge "$results" --json >"$dir/merged.jsonl" || merged=$?
"$program" audit s3://archive --level bytes --json >"$dir/alone.jsonl" || alone=$?
[ "$merged" = 1 ] && [ "$alone" = 1 ] || failed "exit codes $merged and $alone, and both must find the damage"
python3 - "$dir/merged.jsonl" "$dir/alone.jsonl" <<'END' || failed "the merged shards and one run differ"
import json, sys

# Times, and what more than one run asks for more often.
LEFT_OUT = {"at", "began", "elapsed_seconds", "requests", "listing_requests"}

def plain(value):
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items() if name not in LEFT_OUT}
    return [plain(one) for one in value] if isinstance(value, list) else value

merged, alone = (sorted(json.dumps(plain(json.loads(line)), sort_keys=True) for line in open(path)) for path in sys.argv[1:])
for one, other in zip(merged, alone):
    if one != other:
        print(one, other, sep="\n")
sys.exit(merged != alone)
END
echo "4 shards of 400 objects say the same as one run: $((SECONDS - began)) s"
