"""`alpacare table`: the win rates in the form of the AlpaCare paper, in Markdown or LaTeX.

Rows: for each judge the win rate, the length-controlled win rate and the position consistency, a
row a model, over all its training seeds. Columns: for each test set the references, their mean,
AVG, and behind it those that compete themselves.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from alpacare.comparison.judged_test import JudgedTest
from alpacare.comparison.model_runs import (
    CellReader,
    Model,
    all_models,
    competing_references,
    make_reader,
)
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.display.html import open_templates
from alpacare.evaluation.crossed import mean_win_rate
from alpacare.evaluation.score import Cell, Rate, Score
from alpacare.evaluation.score_table import consistency_rate, interval, percent, read_score
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params

_AVG = "AVG"
_LUCK = " and seeds, whose variance is pooled over students"
_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


class Column(NamedTuple):
    """A test set and the references that a mean is over: one of them, or with AVG all."""

    test: str
    against: str
    references: tuple[str, ...]


class TableRow(NamedTuple):
    """One row: a judge, the name of the figure, a model, and one figure for each column."""

    judge: str
    figure: str
    model: str
    rates: list[Rate | None]


@dataclass(frozen=True)
class _Found:
    """What one model got in one column."""

    rate: Rate
    scores: list[Score]


def format_table(form: str) -> str:
    """Give the table as Markdown or LaTeX.

    Raises:
        BadInput: a cell is not judged or not scored yet.
    """
    params = read_params()
    read = make_reader()
    columns = [column for column in _columns(params) if _is_answered(params, column, read)]
    if not columns:
        raise BadInput("metrics/scores: no reference has answered any test set; nothing to show")
    lines = [
        line
        for judge in params.judgments.all_judges
        for line in _rows(params, judge, columns, read)
    ]
    return render_table(form, columns, lines, _note(params, columns, read))


def _columns(params: Params) -> Iterator[Column]:
    averaged = tuple(params.judgments.averaged)
    competing = [name for name in competing_references(params) if name not in averaged]
    for test in params.tests:
        yield from (Column(test, name, (name,)) for name in averaged)
        if len(averaged) > 1:
            yield Column(test, _AVG, averaged)
        yield from (Column(test, name, (name,)) for name in competing)


def _is_answered(params: Params, column: Column, read: CellReader) -> bool:
    """Whether a mean is over two references that answered, any other column over one."""
    judge = params.judgments.all_judges[0]
    models = all_models(params)
    answered = [
        name
        for name in column.references
        if any(read(cell) for m in models for cell in _cells(params, m, column.test, name, judge))
    ]
    return len(answered) > (column.against == _AVG)


def _cells(params: Params, model: Model, test: str, reference: str, judge: str) -> list[Cell]:
    """Give a model's comparisons with a reference; none where there are none."""
    judged = params.judgments
    known = (
        judged.references_of_student(model.name)
        if model.seeds
        else judged.references_of(model.name)
    )
    return model.cells(test, reference, judge) if reference in known else []


def _rows(
    params: Params, judge: str, columns: Sequence[Column], read: CellReader
) -> Iterator[TableRow]:
    """Give the rows of one judge: a block for each figure, a row for each model."""
    models = all_models(params)
    found = {
        model.name: [_find(params, model, column, judge, read) for column in columns]
        for model in models
    }
    figures: dict[str, Callable[[_Found], Rate | None]] = {
        "win rate": lambda cell: cell.rate,
        "length-controlled": lambda cell: _average([s.length_controlled for s in cell.scores]),
        "position consistency": lambda cell: _average([*map(consistency_rate, cell.scores)]),
    }
    for figure, give in figures.items():
        for place, model in enumerate(models):
            rates = [give(cell) if cell else None for cell in found[model.name]]
            first = place == 0
            yield TableRow(
                judge if first and figure == "win rate" else "",
                figure if first else "",
                model.name,
                rates,
            )


def _find(
    params: Params, model: Model, column: Column, judge: str, read: CellReader
) -> _Found | None:
    cells = [_cells(params, model, column.test, name, judge) for name in column.references]
    names = [name for name, each in zip(column.references, cells, strict=True) if each]
    runs = model.runs(column.test, names, judge, read)
    if not runs:
        return None
    scores = [read_score(paths.score(cell)) for each in cells for cell in each]
    seeds = JudgedTest(params, column.test, judge, read).pool(model, names)
    rate = mean_win_rate(runs, params.scores, seeds).rate
    return _Found(rate, [score for score in scores if score.n])


def _average(rates: Sequence[Rate]) -> Rate | None:
    """Average rates over seeds and references, and the bounds of their intervals."""
    known = [rate for rate in rates if rate.win_rate is not None]
    if not known or len(known) < len(rates):
        return None

    def mean(field: str) -> float:
        return fmean(getattr(rate, field) for rate in known)

    return Rate(
        win_rate=mean("win_rate"),
        ci_low=mean("ci_low"),
        ci_high=mean("ci_high"),
        n=min(rate.n for rate in known),
    )


def _note(params: Params, columns: Sequence[Column], read: CellReader) -> str:
    items = []
    for test in dict.fromkeys(column.test for column in columns):
        found = [
            cell
            for column in columns
            if column.test == test
            for judge in params.judgments.all_judges
            for model in all_models(params)
            if (cell := _find(params, model, column, judge, read))
        ]
        least = min(cell.rate.n for cell in found)
        most = max(score.n for cell in found for score in cell.scores)
        readable = "all" if least == most else f"at least {least:,}"
        items.append(f"{counted(most, 'item')} of {test}, {readable} readable")
    seeds = len(params.training_seeds)
    trained = f"mean over {seeds} training seeds" if seeds > 1 else "one training of each student"
    return (
        f"Win rates in %, {trained}, with {100 * params.scores.confidence:g} % intervals over test "
        f"items{_LUCK if seeds > 1 else ''} ({'; '.join(items)}). Win 1, tie 0.5, loss 0, "
        f"mean of both orders. Intervals of the other figures are means of those of their parts."
    )


def render_table(
    form: str,
    columns: Sequence[Column],
    lines: Sequence[TableRow],
    note: str,
    first: str = "judge",
) -> str:
    """Write a table as Markdown or LaTeX; `first` is the heading of its first column."""
    latex = form == "latex"
    environment = open_templates(Path(__file__).parent / "templates").overlay(
        variable_start_string="<<",  # braces are LaTeX's own
        variable_end_string=">>",
        autoescape=False,
        finalize=lambda value: str(value).translate(_LATEX if latex else {}),
        keep_trailing_newline=False,
    )
    template = environment.get_template("table.tex" if latex else "table.md")
    widths = Counter(column.test for column in columns)  # of the test sets, in columns
    return template.render(
        columns=columns,
        lines=lines,
        note=note,
        widths=widths,
        interval=interval,
        percent=percent,
        first=first,
    )
