"""The join on a real Ray cluster of two workers: the same pairs as without Ray."""

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import ray
from test_join_limits import sentences

from alpacare.core.errors import BadInput
from alpacare.filtering import ray_join
from alpacare.filtering.join_rows import JoinedPairs
from alpacare.filtering.near_duplicate_join import Mask
from alpacare.filtering.near_duplicates import KeepFirst, KeepNone, local_pairs
from alpacare.filtering.ray_join import PairColumns, Rows
from alpacare.filtering.tokens import TokenNumbers, latin

THRESHOLD = 0.5
BLOCK = 150


@pytest.fixture(scope="module", autouse=True)
def address() -> Iterator[str]:
    """Start the cluster as `pairs` does; where it listens."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.setattr(ray_join, "cores", lambda: 2)
        patch.setattr(ray_join, "_BLOCK", BLOCK)
        patch.setattr(ray_join, "_STEP", 64)
        with ray_join._cluster():
            yield ray.get_runtime_context().gcs_address
        assert not ray.is_initialized()


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """600 rows, of which some equal or resemble one another within and across blocks."""
    rows = sentences(600, 80, 10)
    rows[299::3] = [f"{row} more" for row in rows[:301:3]]
    rows[BLOCK - 1] = rows[BLOCK] = rows[2 * BLOCK] = rows[3]
    rows[10] = rows[BLOCK + 10] = ""
    rows[-1] = rows[7]
    return rows


def joined(parts: Iterator[JoinedPairs]) -> tuple[int, list[tuple[int, int, float]]]:
    found = list(parts)
    columns = (
        np.concatenate([getattr(part, name) for part in found]).tolist()
        for name in ("first", "second", "score")
    )
    return sum(part.rows for part in found), list(zip(*columns, strict=True))


@pytest.mark.parametrize("start", [0, 1, BLOCK, 220, 599])
def test_the_same_pairs_as_on_one_machine(texts: list[str], start: int) -> None:
    tokens, lengths = TokenNumbers(latin).encode(texts)
    partners = np.random.default_rng(0).random(len(texts)) < 0.8
    partners[7] = True  # near the last row
    arguments = (tokens, lengths, THRESHOLD, start, partners)
    rows, expected = joined(local_pairs(*arguments))
    assert rows == 600 - start
    assert len(expected) > (90 if start < 300 else 0)
    assert any(second // BLOCK > first // BLOCK for first, second, _ in expected)
    assert joined(ray_join.ray_pairs(*arguments)) == (rows, expected)


def test_no_rows_no_pairs() -> None:
    none = np.empty(0, dtype=np.int32)
    assert list(ray_join.ray_pairs(none, none, THRESHOLD, 0, none.astype(np.bool_))) == []


@pytest.mark.parametrize("rule", [KeepFirst, KeepNone])
@pytest.mark.parametrize("cuts", [[0, 600], [0, 1, 200, 520, 600]])
def test_the_same_texts_are_dropped(
    texts: list[str], rule: type[KeepFirst], cuts: list[int]
) -> None:
    here, there = rule(THRESHOLD, latin), rule(THRESHOLD, latin, ray_join.ray_pairs)
    for start, stop in pairwise(cuts):
        done: list[int] = []
        dropped = there.add(texts[start:stop], done.append)
        assert list(dropped.items()) == list(here.add(texts[start:stop]).items())
        assert sum(done) == stop - start


def test_a_task_gets_two_blocks_and_may_be_lost(
    texts: list[str], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, marker = ray_join._compare_blocks, workspace / "lost"

    def checked(
        firsts: Rows, seconds: Rows | None, partners: Mask, threshold: float
    ) -> PairColumns:
        if not marker.exists():
            marker.touch()
            os._exit(1)
        assert max(len(lengths) for _, lengths in (firsts, seconds or firsts)) <= BLOCK
        assert len(partners) == len(firsts[1])
        return original(firsts, seconds, partners, threshold)

    monkeypatch.setattr(ray_join, "_compare_blocks", checked)
    expected = KeepNone(THRESHOLD, latin).add(texts)
    assert KeepNone(THRESHOLD, latin, ray_join.ray_pairs).add(texts) == expected
    assert marker.exists()


def test_another_process_joins_by_address(address: str, texts: list[str]) -> None:
    program = (
        "import signal\n"
        "def stop(*_): print('stopped')\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "from test_join_limits import sentences\n"
        "from alpacare.filtering import ray_join\n"
        "from alpacare.filtering.near_duplicates import KeepFirst\n"
        "from alpacare.filtering.tokens import latin\n"
        "def advance(rows): signal.raise_signal(signal.SIGTERM)\n"
        "print(KeepFirst(0.5, latin, ray_join.ray_pairs).add(sentences(100, 50, 10), advance))\n"
        "print(signal.getsignal(signal.SIGTERM) is stop, ray_join.ray.is_initialized())"
    )
    environment = {"RAY_ADDRESS": address, "PYTHONPATH": str(Path(__file__).parent)}
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    expected = KeepFirst(0.5, latin).add(sentences(100, 50, 10))
    assert result.stdout.splitlines() == ["stopped", str(expected), "True False"]
    assert result.stderr == ""


def test_an_address_where_nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    one = np.ones(1, dtype=np.int32)
    for wrong in ("127.0.0.1:1", "nonsense"):
        monkeypatch.setenv("RAY_ADDRESS", wrong)
        with pytest.raises(BadInput, match=f"RAY_ADDRESS={wrong}: no Ray cluster answers"):
            list(ray_join.ray_pairs(one, one, THRESHOLD, 0, one > 0))


def test_without_ray_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "alpacare.filtering.ray_join")
    with pytest.raises(BadInput, match=r"run: make ray"):
        importlib.import_module("alpacare.filtering.ray_join")
