"""Runs commands in turn, A B A B …, and prints medians and ratios to the first one.

usage: compare.py RUNS [--server PID] NAME=COMMAND NAME=COMMAND …
CPU is user and system time of the process; memory is its peak resident size. All from wait4(2). `slower` is the number
of turns in which the command took more CPU than the first one. `both s` is the CPU of the command and of a server on
the same machine, which has process id PID: over loopback, the kernel sends the server's bytes in the time of a client
that reads several connections, and in the time of the server for a client that reads one.
"""

import os
import shlex
import statistics
import sys
import time
from pathlib import Path


def run(command):
    start = time.monotonic()
    child = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 3):
        sys.exit(f"{command} ended with {code}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - start, usage.ru_maxrss / 1024


def cpu_of(pid):
    """User and system time of a process and its children (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return ticks / os.sysconf("SC_CLK_TCK") + sum(cpu_of(child) for child in children)


runs, rest = int(sys.argv[1]), sys.argv[2:]
server = None
if rest[0] == "--server":
    server, rest = rest[1], rest[2:]
commands = dict(argument.split("=", 1) for argument in rest)
figures = {name: [] for name in commands}
for turn in range(runs + 1):
    for name, command in commands.items():
        before = cpu_of(server) if server else 0
        figure = run(shlex.split(command))
        figure += (figure[0] + cpu_of(server) - before if server else 0,)
        if turn > 0:  # the first turn warms up
            figures[name].append(figure)
base = None
print(f"{'':32} {'cpu s':>8} {'wall s':>8} {'MiB':>8} {'both s':>8} {'cpu ratio':>10} {'wall ratio':>10} {'slower':>8}")
for name, rows in figures.items():
    cpu, wall, memory, both = (statistics.median(column) for column in zip(*rows))
    base = base or rows
    ratios = [statistics.median(row[i] / first[i] for row, first in zip(rows, base)) for i in (0, 1)]
    slower = sum(row[0] > first[0] for row, first in zip(rows, base))
    print(f"{name:32} {cpu:8.2f} {wall:8.2f} {memory:8.0f} {both:8.2f} {ratios[0]:10.2f} {ratios[1]:10.2f} {slower:>4}/{runs}")
