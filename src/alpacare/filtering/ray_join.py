"""The near-duplicate join on a Ray cluster: the same pairs, found block by block.

Each pair of blocks of rows is one task, which gets only those two blocks. So a worker's memory does
not grow with the number of rows, and a task that is lost with its node is run again.
"""

import os
import signal
import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from logging import ERROR
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alpacare.core.errors import BadInput
from alpacare.core.processors import cores
from alpacare.filtering.join_rows import Ints, JoinedPairs
from alpacare.filtering.near_duplicate_join import Mask, NearDuplicateJoin

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
if not os.environ.get("RAY_ADDRESS"):  # Ray then listens only on loopback, also on Linux
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
try:
    import ray
except ModuleNotFoundError as error:
    raise BadInput("filtered.engine: ray: Ray is not installed; run: make ray") from error

Rows = tuple[Ints, Ints]  # tokens and lengths, as `NearDuplicateJoin` takes them
PairColumns = tuple[Ints, Ints, NDArray[np.float64]]  # firsts, seconds, scores

_BLOCK = 250_000  # rows
_STEP = 1 << 14  # rows whose pairs are put in order at a time
_AHEAD = 2  # tasks submitted for each core beyond those waited for, so that no core is idle


def ray_pairs(
    tokens: Ints, lengths: Ints, threshold: float, start: int, partners: Mask
) -> Iterator[JoinedPairs]:
    """Find the pairs with the Ray cluster at RAY_ADDRESS, or with one started here meanwhile.

    Arguments and pairs are those of `NearDuplicateJoin` and `NearDuplicateJoin.pairs`, but
    `partners` is read when a block's tasks are submitted.

    Raises:
        BadInput: no cluster can be joined at RAY_ADDRESS.
    """
    if start == len(lengths):
        return
    with _cluster():
        blocks = _blocks(tokens, lengths, start)
        columns = (
            _Column(blocks[: place + 1], threshold, partners)
            for place, block in enumerate(blocks)
            if block.start >= start
        )
        for column in _scheduled_ahead(columns):
            yield from column.pairs()


@dataclass(frozen=True)
class _Block:
    """Rows start..stop, held by Ray."""

    start: int
    stop: int
    rows: "ray.ObjectRef[Rows]"


def _blocks(tokens: Ints, lengths: Ints, start: int) -> list[_Block]:
    """Cut the rows before `start`, and those from there on, into blocks."""
    cuts = [*range(0, start, _BLOCK), *range(start, len(lengths), _BLOCK), len(lengths)]
    ends = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return [
        _Block(low, high, ray.put((tokens[ends[low] : ends[high]], lengths[low:high])))
        for low, high in pairwise(cuts)
    ]


class _Column:
    """The tasks that compare one block, the last, with every block up to it."""

    def __init__(self, blocks: list[_Block], threshold: float, partners: Mask) -> None:
        compare: Any = ray.remote(num_cpus=1)(_compare_blocks)
        self._blocks = blocks
        last = blocks[-1]
        self.tasks = [
            compare.remote(
                block.rows,
                None if block is last else last.rows,
                partners[block.start : block.stop],
                threshold,
            )
            for block in blocks
        ]

    def pairs(self) -> Iterator[JoinedPairs]:
        """Yield the pairs in order, copying only those of one `JoinedPairs` from Ray's memory."""
        last = self._blocks[-1]
        parts: list[PairColumns] = ray.get(self.tasks)
        for low in range(0, last.stop - last.start, _STEP):
            columns: list[PairColumns] = []
            for block, (firsts, seconds, scores) in zip(self._blocks, parts, strict=True):
                some = slice(*np.searchsorted(seconds, [low, low + _STEP]))
                columns.append((firsts[some] + block.start, seconds[some], scores[some]))
            first, second, score = (np.concatenate(column) for column in zip(*columns, strict=True))
            order = np.lexsort((first, second))
            rows = min(_STEP, last.stop - last.start - low)
            yield JoinedPairs(rows, first[order], second[order] + last.start, score[order])


def _scheduled_ahead(columns: Iterable[_Column]) -> Iterator[_Column]:
    """Yield columns in order, with enough later ones submitted to keep the cluster busy."""
    waiting: deque[_Column] = deque()
    for column in columns:
        waiting.append(column)
        cpus = ray.cluster_resources().get("CPU", 1)
        while sum(len(later.tasks) for later in list(waiting)[1:]) >= _AHEAD * cpus:
            yield waiting.popleft()
    while waiting:
        yield waiting.popleft()


def _compare_blocks(
    firsts: Rows, seconds: Rows | None, partners: Mask, threshold: float
) -> PairColumns:
    """Find the pairs between two blocks, or within one; positions count within each block."""
    (tokens, lengths), start = firsts, 0
    if seconds is not None:
        start = len(lengths)
        tokens, lengths = (np.concatenate(parts) for parts in zip(firsts, seconds, strict=True))
        partners = np.concatenate([partners, np.zeros(len(lengths) - start, dtype=np.bool_)])
    found = NearDuplicateJoin(tokens, lengths, threshold, workers=1).pairs(start, partners)
    columns = ((part.first, part.second - start, part.score) for part in found)
    first, second, score = (np.concatenate(column) for column in zip(*columns, strict=True))
    return first, second, score


@contextmanager
def _cluster() -> Iterator[None]:
    """Join the cluster at RAY_ADDRESS or start one here, and leave or end it afterwards.

    A cluster that this process has joined already is used and kept.
    """
    if ray.is_initialized():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    quiet: Any = {"log_to_driver": False, "logging_level": ERROR}
    if address := os.environ.get("RAY_ADDRESS"):
        _check_address(address)
        ray.init(address, **quiet)
    else:
        ray.init(address="local", num_cpus=cores(), include_dashboard=False, **quiet)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray has replaced it by its own
    try:
        yield
    finally:
        ray.shutdown()


def _check_address(address: str) -> None:
    """Refuse an address where nothing answers, for which Ray would wait two minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"RAY_ADDRESS={address}: no Ray cluster answers ({error}); set it to the head node's"
            " host:port (6379 after `ray start --head`), or unset it to use only this machine"
        ) from error
