"""Trainings that differ in nothing but their luck: `alpacare diff` does not call it a change."""

import numpy as np
import pytest
from conftest import REPOSITORY

from alpacare.comparison.diff_page import CellVersion, ComparedCell
from alpacare.comparison.diff_rows import DiffRow, make_rows
from alpacare.evaluation.score import Cell
from alpacare.pipeline.params import Params, read_params

LUCK, ITEMS = 0.05, 216


@pytest.fixture
def params(monkeypatch: pytest.MonkeyPatch) -> Params:
    monkeypatch.chdir(REPOSITORY)
    return read_params()


def rows_of(
    rng: np.random.Generator, params: Params, changed: list[str], gain: float = 0.0, seeds: int = 2
) -> list[DiffRow]:
    """Two commits, between which some students were trained again."""
    nothing = CellVersion([], {}, {})
    difficulty, cells = rng.normal(0, 0.2, ITEMS), []
    for student in params.students:
        for seed in range(seeds):
            then, now = (
                draw(rng, difficulty + more) for more in (0.0, gain if student in changed else 0.0)
            )
            for reference in params.judgments.averaged[:1]:
                cell = Cell("demo", student, seed, reference, "overlap")
                again = student in changed
                runs = (then, now if again else then)
                cells.append(ComparedCell(cell, nothing, nothing, runs, [], again))
    return make_rows(cells, params)


def draw(rng: np.random.Generator, chances: np.ndarray) -> dict[str, float]:
    won = rng.random(ITEMS) < 0.5 + rng.normal(0, LUCK) + chances
    return {str(n): value for n, value in enumerate((won - 0.5).tolist())}


@pytest.mark.parametrize("count", [1, 2])
def test_another_training_is_a_change_in_six_percent_at_most(params: Params, count: int) -> None:
    """Of studies, however many of their students were trained again."""
    rng, told, trials = np.random.default_rng(0), 0, 300
    for _ in range(trials):
        rows = rows_of(rng, params, params.students[:count])
        told += any(row.comparison.difference and row.comparison.difference.real for row in rows)
    assert told / trials <= 0.06


def test_one_seed_is_never_a_change(params: Params) -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        rows = rows_of(rng, params, params.students[:1], gain=0.3, seeds=1)
        found = rows[0].comparison.difference
        assert found
        assert (found.real, found.one_seed, found.real_for_items) == (False, True, True)


def test_what_is_trained_again_is_pooled_over_both_versions(params: Params) -> None:
    rows = rows_of(np.random.default_rng(2), params, params.students[:1], gain=0.4)
    changed, same = rows
    assert changed.seeds[0].freedom == 3, "two versions of one student, and one of the other"
    assert changed.comparison.difference
    assert changed.comparison.difference.real
    assert same.comparison.difference
    assert same.comparison.difference.changed == 0
