# SPDX-License-Identifier: Apache-2.0
"""Kills a program while it has spilled to disk, and finds what is left of it."""

import os
import pathlib
import signal
import time

import measure


def leftovers(folder, program):
    """Lists the files under folder that are not the program's output."""
    return [p for p in folder.rglob("*") if p.is_file() and str(p) != program.output]


def spilling(pid, spill):
    """Whether the process has put something on disk to read back: a file under
    the folder spill that is not empty, or one there that it holds open and has
    already removed."""

    def size(path):
        try:
            return path.stat().st_size
        except FileNotFoundError:
            return 0  # gone meanwhile

    if any(p.is_file() and size(p) > 0 for p in spill.rglob("*")):
        return True
    try:
        open_files = list(pathlib.Path(f"/proc/{pid}/fd").iterdir())
        return any(os.readlink(fd).startswith(str(spill)) and size(fd) > 0 for fd in open_files)
    except OSError:
        return False  # a file closed meanwhile, or the process ended


def kill_spilling(program, spill, log):
    """Starts a program and kills it, without a chance to tidy up, half a second
    after it first spilled. False if it ended before that."""
    pid = measure.start(program, log)
    while not spilling(pid, spill):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
        time.sleep(0.02)
    time.sleep(0.5)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)
