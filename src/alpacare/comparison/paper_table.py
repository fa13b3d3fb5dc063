"""`alpacare table`: the win rates in the form of the AlpaCare paper, in Markdown or LaTeX.

Rows: for each judge the student's win rate, the length-controlled win rate and the position
consistency. Columns: for each test set the references, and their mean, AVG.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alpacare.comparison.mean_win_rates import average_win_rates
from alpacare.core.errors import BadInput
from alpacare.display.html import open_templates
from alpacare.evaluation.score import Cell, Mean, Rate, Score
from alpacare.evaluation.score_table import (
    consistency_rate,
    interval,
    overall_rate,
    percent,
    read_score,
)
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params
from alpacare.records.comparisons import BASE

_AVG = "AVG"
_LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)


class Column(NamedTuple):
    """A test set and a reference, or the mean over references."""

    test: str
    against: str


class WinRateRow(NamedTuple):
    """One row: a judge, the name of the figure, and one figure for each column."""

    judge: str
    figure: str
    rates: list[Rate | None]


def format_table(form: str) -> str:
    """Give the table as Markdown or LaTeX.

    Raises:
        BadInput: a cell is not scored yet.
    """
    params = read_params()
    every = {cell: read_score(paths.score(*cell)) for cell in params.cells()}
    scores = {cell: score for cell, score in every.items() if score.n}
    if not scores:
        raise BadInput("metrics/scores: no reference has answered any test set; nothing to show")
    means = average_win_rates(params)
    columns = list(_columns(params, scores, means))
    judges = params.judgments.all_judges
    lines = [line for judge in judges for line in _rows(judge, columns, scores, means)]
    return _render(form, columns, lines, _note(params, scores, columns))


def _columns(
    params: Params, scores: Mapping[Cell, Score], means: Mapping[tuple[str, str], Mean]
) -> Iterator[Column]:
    for test in params.tests:
        names = [n for n in params.judgments.references if any(c[:2] == (test, n) for c in scores)]
        yield from (Column(test, name) for name in names if name != BASE)
        if any(key[0] == test for key in means):
            yield Column(test, _AVG)
        if BASE in names:  # not part of the mean, so behind it
            yield Column(test, BASE)


def _rows(
    judge: str,
    columns: Sequence[Column],
    scores: Mapping[Cell, Score],
    means: Mapping[tuple[str, str], Mean],
) -> Iterator[WinRateRow]:
    found = [scores.get(Cell(test, against, judge)) for test, against in columns]
    rates = [overall_rate(score) if score else None for score in found]
    for place, (test, against) in enumerate(columns):
        if against == _AVG and (test, judge) in means:
            rates[place] = means[test, judge].rate
    length_controlled = [score.length_controlled if score else None for score in found]
    consistency = [consistency_rate(score) if score else None for score in found]
    yield WinRateRow(judge, "win rate", rates)
    yield WinRateRow("", "length-controlled", length_controlled)
    yield WinRateRow("", "position consistency", consistency)


def _note(params: Params, scores: Mapping[Cell, Score], columns: Sequence[Column]) -> str:
    items = []
    for test in params.tests:
        if own := [score for cell, score in scores.items() if cell[0] == test]:
            least, most = min(s.n_valid for s in own), max(s.n for s in own)
            readable = "all" if least == most else f"at least {least:,}"
            items.append(f"{most:,} items of {test}, {readable} readable")
    note = (
        f"The student's win rate in %, with {100 * params.scores.confidence:g} % intervals over "
        f"test items ({'; '.join(items)}). Win 1, tie 0.5, loss 0, mean of both orders."
    )
    several = len({column.against for column in columns} - {_AVG, BASE}) > 1
    if several and not any(column.against == _AVG for column in columns):
        note += f" No {_AVG}: the verdicts are not here (dvc pull)."
    return note


def _render(form: str, columns: Sequence[Column], lines: Sequence[WinRateRow], note: str) -> str:
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
        columns=columns, lines=lines, note=note, widths=widths, interval=interval, percent=percent
    )
