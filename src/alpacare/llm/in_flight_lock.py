"""Locks on requests in flight, so that two processes on one ledger never pay for one answer.

A lock covers one byte of an empty file, at the offset that the request's key gives. The kernel
releases it when its process ends in any way, so no lock outlives a `kill -9`.
"""

import fcntl
import os
from pathlib import Path


class InFlightLocks:
    """This process's locks beside one ledger; POSIX locks belong to a process: open it once."""

    def __init__(self, ledger: Path) -> None:
        # the file's name is that of earlier versions, which may run beside this one
        self._file = os.open(ledger.with_name("claims"), os.O_RDWR | os.O_CREAT, 0o666)
        self._held: set[str] = set()

    def close(self) -> None:
        """Release all locks."""
        os.close(self._file)

    def acquire(self, key: str) -> bool:
        """Lock a request; False if another process holds its lock."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _offset(key))
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        self._held.add(key)
        return True

    def release(self, key: str) -> None:
        """Unlock a request."""
        self._held.discard(key)
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _offset(key))

    def is_free(self, key: str) -> bool:
        """Return whether no process holds this lock, ours included."""
        if key in self._held or not self.acquire(key):
            return False
        self.release(key)
        return True


def _offset(key: str) -> int:
    return int(key[:15], 16)  # 60 bits: file offsets go to 2^63
