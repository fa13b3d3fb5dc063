"""Writes to the ledger from many coroutines, committed in groups.

A commit waits for the disk, in a thread. Hundreds of answers may arrive in that time: one fsync
writes them all, and each coroutine goes on only when its own answer is on disk.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from alpacare.llm.ledger import Ledger

T = TypeVar("T")
_RETRY = 0.01  # seconds between tries while another process writes


class LedgerWriter:
    """Group commit for the coroutines of one event loop."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        ledger.connection.execute("PRAGMA busy_timeout = 0")  # see _begin
        self._task: asyncio.Task[None] | None = None

    async def commit(self, work: Callable[[], T]) -> T:
        """Run `work` in a transaction; return when it is on disk.

        Raises:
            BadInput: the disk is full or the ledger damaged; nothing of the group is written.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    def close(self) -> None:
        """Wait for the thread."""
        self._thread.shutdown()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._begin()
                with self._ledger.readable():
                    results = [work() for work, _ in group]
                await loop.run_in_executor(self._thread, self._commit)
            except Exception as error:  # each waiting coroutine gets it
                if self._ledger.connection.in_transaction:  # a full disk may have ended it already
                    self._ledger.connection.execute("ROLLBACK")
                for _, future in group:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), result in zip(group, results, strict=True):
                if not future.done():
                    future.set_result(result)

    async def _begin(self) -> None:
        """Begin once no other process writes, however long it takes: a paid answer may wait."""
        while True:
            try:
                self._ledger.connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error):
                    with self._ledger.readable():
                        raise
            await asyncio.sleep(_RETRY)

    def _commit(self) -> None:
        with self._ledger.readable():
            self._ledger.connection.execute("COMMIT")
