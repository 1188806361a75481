# SPDX-License-Identifier: Apache-2.0
"""Runs programs as children and takes their CPU time and peak memory.

Only the standard library is imported: at exec the kernel hands a child the
peak memory of the process that started it, so that process must stay small.
"""

import dataclasses
import os
import statistics
import time


@dataclasses.dataclass
class Program:
    name: str
    argv: list  # argv[0] is a path
    output: str  # the file it writes
    env: dict = dataclasses.field(default_factory=dict)  # beside the runner's own


@dataclasses.dataclass
class Run:
    cpu_s: float  # user + system, of all threads
    wall_s: float
    peak_mb: float  # largest resident set; 1 MB = 2^20 bytes, as in --max-memory


class Failed(Exception):
    """A child ended with another status than 0."""


def start(program, log):
    """Starts a program with its output and errors appended to the file log, and
    returns its process id."""
    to_log = [
        (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(program.argv[0], program.argv, os.environ | program.env, file_actions=to_log)


def run(program, log):
    """Runs a program to its end."""
    began = time.monotonic()
    _, status, used = os.wait4(start(program, log), 0)
    wall = time.monotonic() - began
    if status != 0:
        raise Failed(f"{' '.join(program.argv)}: exit {os.waitstatus_to_exitcode(status)}; see {log}")
    return Run(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def interleave(programs, pairs, log):
    """Runs every program once a round, each round beginning with another one, so
    that what else the machine does hits all alike. Returns the runs by name."""
    runs = {p.name: [] for p in programs}
    for i in range(pairs):
        k = i % len(programs)
        for p in programs[k:] + programs[:k]:
            runs[p.name].append(run(p, log))
    return runs


def median(runs, field):
    return statistics.median(getattr(r, field) for r in runs)


def ratio(above, below, field):
    """The median over the rounds of above / below."""
    return statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(above, below, strict=True))
