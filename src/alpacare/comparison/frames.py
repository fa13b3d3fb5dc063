"""Results as pandas data frames, for notebooks: `import alpacare; alpacare.scores()`.

One row an observation. `rev` is a commit as Git names it, None the working tree, of which no file
is touched. What is missing is left out with a warning; if nothing is there, that is an error.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.comparison.leaderboard import Board, Entry, make_boards
from alpacare.comparison.project_files import open_project
from alpacare.core import jsonl
from alpacare.evaluation.score import Cell, Rate
from alpacare.evaluation.score_table import read_score
from alpacare.pipeline import paths
from alpacare.pipeline.params import Run
from alpacare.records.response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

_WHOLE = ["seed", "difficulty"]  # whole numbers where some may be missing


def scores(
    rev: str | None = None,
    *,
    test: str | None = None,
    judge: str | None = None,
    model: str | None = None,
) -> "DataFrame":
    """Give the score of each comparison: a row a test set, model, seed, reference and judge.

    `win_rate` in `low`..`high` over `n` of `items`: docs/scores.md says what figures mean. `seed`
    is missing for a contestant that is no student.

    Raises:
        BadInput: an unknown name or commit (with those that there are), or nothing was scored.
    """
    with open_project(rev) as files:
        cells = files.cells(test, judge, model)
        rows = [_score_row(cell) for cell in cells if files.has(paths.score(cell))]
        files.check_found(rows)
    return make_frame([row for row in rows if row["items"]])


def leaderboard(
    rev: str | None = None, *, test: str | None = None, judge: str | None = None
) -> "DataFrame":
    """Give what `alpacare leaderboard` shows: a row a test set, judge and model, the best first.

    docs/compare.md says what columns mean; `vs_NAME` is the win rate against one that competes too.

    Raises:
        BadInput: an unknown name or commit (with those that there are), or nothing was judged.
    """
    with open_project(rev) as files:
        cells = files.cells(test, judge, None)
        for path in dict.fromkeys(path for cell in cells for path in _board_files(cell)):
            files.has(path)
        boards = make_boards(files.params, test, judge)
        files.note(
            *(f"no row for {line.partition(':')[0]}" for each in boards for line in each.missing)
        )
        files.check_found(boards)
    return make_frame([_entry_row(board, entry) for board in boards for entry in board.entries])


def responses(rev: str | None = None, *, student: str | None = None) -> "DataFrame":
    """Give the rows that students learn from: those of `sources.responses`, or of one student.

    Raises:
        BadInput: an unknown student or commit (with those that there are), or there is no file.
    """
    with open_project(rev) as files:
        if student is None:
            path = paths.training_rows(files.params)
        else:
            files.check_student(student)
            path = paths.student_rows(student)
        rows = [row for _, row in jsonl.read_objects(files.require(path))]
    columns = dict.fromkeys([*Response.model_fields, *(key for row in rows for key in row)])
    return make_frame(rows, list(columns))


def _score_row(cell: Cell) -> dict[str, Any]:
    score = read_score(paths.score(cell))
    controlled = score.length_controlled
    return {
        **cell._asdict(),
        "win_rate": score.win_rate,
        "low": score.ci_low,
        "high": score.ci_high,
        "n": score.n_valid,
        "items": score.n,
        **_rate_columns("length_controlled", controlled),
        "position_consistency": score.position_consistency,
        "first_slot_rate": score.first_slot_rate,
        "longer_preferred": score.longer_preferred,
        "length_ratio": score.length_ratio,
        "wins": score.wins,
        "ties": score.ties,
        "losses": score.losses,
        "dollars": score.dollars,
    }


def _rate_columns(name: str, rate: Rate | None) -> dict[str, float | None]:
    ends = (rate.win_rate, rate.ci_low, rate.ci_high) if rate else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))


def _entry_row(board: Board, entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "test": board.test,
        "judge": board.judge,
        "rank": entry.rank.best,
        "worst_rank": entry.rank.worst,
        "model": entry.model.name,
        "win_rate": entry.rate.win_rate,
        "low": entry.rate.ci_low,
        "high": entry.rate.ci_high,
        "n": entry.rate.n,
        "items": entry.n,
        "seeds": len(entry.model.seeds),
        **{f"half_width_{part}": half for part, half in entry.parts._asdict().items()},
        "length_controlled": entry.length_controlled,
        "position_consistency": entry.consistency,
        "dollars": entry.dollars,
    }
    for name in board.competing:
        row |= _rate_columns(f"vs_{name}", entry.against.get(name))
    return row


def _board_files(cell: Cell) -> list[Path]:
    run = None if cell.seed is None else Run(cell.model, cell.seed)
    statistics = paths.answer_statistics(cell.test, run)
    return [paths.judgments(cell), paths.score(cell), statistics]


def make_frame(rows: list[dict[str, Any]], columns: list[str] | None = None) -> "DataFrame":
    """Make a frame of rows; None is missing, as NaN is."""
    import pandas as pd

    known = [{key: math.nan if row[key] is None else row[key] for key in row} for row in rows]
    return whole_numbers(pd.DataFrame(known, columns=columns))


def whole_numbers(frame: "DataFrame") -> "DataFrame":
    """Keep whole numbers whole, though some are missing."""
    kinds: Mapping[str, str] = {name: "Int64" for name in _WHOLE if name in frame.columns}
    return frame.astype(kinds)
