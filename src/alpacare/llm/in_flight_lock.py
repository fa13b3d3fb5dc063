"""Who is asking what right now, so that two processes on one ledger never pay for one answer.

A claim is a lock on one byte of an empty file, at the place that the request's key names. The
kernel frees it when its process ends in whatever way, so no claim outlives a `kill -9`.
"""

import fcntl
import os
from pathlib import Path
from types import TracebackType


class Claims:
    """This process's claims beside one ledger; POSIX locks are a process's, so open it once."""

    def __init__(self, ledger: Path) -> None:
        self._file = os.open(ledger.with_name("claims"), os.O_RDWR | os.O_CREAT, 0o644)
        self._ours: set[str] = set()

    def __enter__(self) -> "Claims":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def take(self, key: str) -> bool:
        """Claim a request; False if another process has it."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(key))
        except (BlockingIOError, PermissionError):  # POSIX allows either
            return False
        self._ours.add(key)
        return True

    def drop(self, key: str) -> None:
        """Give a claim back."""
        self._ours.discard(key)
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(key))

    def free(self, key: str) -> bool:
        """Whether no process has this claim, ours included."""
        if key in self._ours or not self.take(key):
            return False
        self.drop(key)
        return True


def _place(key: str) -> int:
    return int(key[:15], 16)  # 60 bits: a file's places go to 2^63
