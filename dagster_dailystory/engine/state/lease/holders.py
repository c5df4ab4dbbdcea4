"""Processes as the holders of leases: their names, whether they live, and a clock that goes on while they sleep."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sqlalchemy import RowMapping

_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""A clock that also counts the time in which the machine sleeps: Linux names it so, macOS calls it monotonic."""


def boot_seconds() -> float:
    """Seconds since the machine started, if possible with the time that it slept."""
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


_held: set[str] = set()
"""The holders of this process that have not let go. A lost connection leaves their names in the database."""


def new_holder(host: str) -> str:
    """Name a holder: host, process, and a random word that distinguishes the threads of one process."""
    holder = f"{host}:{os.getpid()}:{_started(os.getpid())}:{secrets.token_hex(4)}"
    _held.add(holder)
    return holder


def let_go(holder: str) -> None:
    """Note that a holder of this process holds nothing any more, whatever the database says."""
    _held.discard(holder)


def is_alive(holder: str, here: str) -> bool:
    """Whether a holder may still be at work, as far as the host `here` knows; processes of other hosts may."""
    host, pid, started, _ = holder.rsplit(":", 3)
    if host != here:
        return True
    if int(pid) == os.getpid() and started == _started(os.getpid()):
        return holder in _held
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(int(pid)) == started


def is_at_work_here(holder: str, here: str) -> bool:
    """Whether a holder is a living process of the host `here`."""
    return holder.rsplit(":", 3)[0] == here and is_alive(holder, here)


def parent_has_ended() -> bool:
    """Whether the process that started this one through `multiprocessing` has ended; False for any other process."""
    parent = multiprocessing.parent_process()
    return parent is not None and not parent.is_alive()


def description(row: RowMapping) -> str:
    """Which run holds a lease or waits for one, where, and since when, from its row of the meta table."""
    run = f"run {row['run_id']}" if row["run_id"] else "a run"
    place, pid, *_ = row["holder"].rsplit(":", 3)
    host = f"{place.split('/', 1)[0]} (process {pid})"
    since = f" since {row['taken_at']:%Y-%m-%d %H:%M:%S} UTC" if row["taken_at"] else ""
    return f"{run} on {host}{since}"


def this_host() -> str:
    """Name the host: its name, the process namespace, and the start of the machine.

    Containers may share a host's name but not its process ids, and machines that were cloned may share both.
    """
    return "/".join((socket.gethostname(), *_kernel_names()))


def _kernel_names() -> Iterator[str]:
    with suppress(OSError):  # another system than Linux
        yield str(Path("/proc/self/ns/pid").readlink())
    with suppress(OSError):  # the same
        yield Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _started(pid: int) -> str:
    """When a process of this host started, from the kernel: distinguishes processes that had the same pid."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return "0"
