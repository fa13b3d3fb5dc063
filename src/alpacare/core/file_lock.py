"""One process at a time: a file that is held while something is done.

The kernel holds it, not a process number written down: so it counts for other containers too, and
ends with its process however that ends.
"""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alpacare.core.errors import BadInput


@contextmanager
def hold_lock(lock: Path, *, wait: bool = False, what: str = "this very run") -> Iterator[None]:
    """Hold a file for this process; with `wait`, as soon as nobody else does.

    Raises:
        BadInput: another process holds it; the line names it.
    """
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            raise BadInput(
                f"{lock.parent}: {what} is under way in process {file.read().strip() or '?'}; "
                "wait for its end, or stop it with `kill`"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()} of {socket.gethostname()}")
        file.flush()
        yield


def is_held(lock: Path) -> bool:
    """Whether a process holds a file."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # its process has ended, and its folder was deleted
        return False
    return False
