"""Behind `alpacare table`: the win rates as AlpaCare's tables are, with what each needs beside it.

Rows: by judge the student's win rate, what is left of it at equal length, and how many items have
the same verdict in both orders. Columns: by test set the references, and their mean, AVG.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from alpacare.comparison.mean_win_rates import average_all
from alpacare.core.errors import BadInput
from alpacare.evaluation.score import Mean, Rate, Score
from alpacare.evaluation.score_table import Cell, consistency, percent, read_score, whole
from alpacare.pipeline import paths
from alpacare.pipeline.params import BASE, Params, read_params

_AVG = "AVG"
_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


class Column(NamedTuple):
    """What is compared on a test set: a reference, or the mean of all."""

    test: str
    against: str


class Line(NamedTuple):
    """One row: a judge, what its figures are, and one for each column."""

    judge: str
    what: str
    rates: list[Rate | None]


def write_table(form: str) -> str:
    """Give the table as Markdown or LaTeX.

    Raises:
        BadInput: something is not scored yet.
    """
    params = read_params()
    every = {cell: read_score(paths.score(*cell)) for cell in params.cells()}
    scores = {cell: score for cell, score in every.items() if score.n}
    if not scores:
        raise BadInput("metrics/scores: no reference has answered any test set; nothing to show")
    means = average_all(params)
    columns = list(_columns(params, scores, means))
    lines = [
        line for judge in params.judgments.judges for line in _lines(judge, columns, scores, means)
    ]
    note = _note(params, scores, columns)
    return (_latex if form == "latex" else _markdown)(columns, lines, note)


def _columns(
    params: Params, scores: Mapping[Cell, Score], means: Mapping[tuple[str, str], Mean]
) -> Iterator[Column]:
    for test in params.tests:
        names = [n for n in params.judgments.references if any(c[:2] == (test, n) for c in scores)]
        yield from (Column(test, name) for name in names if name != BASE)
        if any(key[0] == test for key in means):
            yield Column(test, _AVG)
        if BASE in names:  # no model that anybody compares with, so behind the mean
            yield Column(test, BASE)


def _lines(
    judge: str,
    columns: Sequence[Column],
    scores: Mapping[Cell, Score],
    means: Mapping[tuple[str, str], Mean],
) -> Iterator[Line]:
    found = [scores.get((test, against, judge)) for test, against in columns]
    rates = [whole(score) if score else None for score in found]
    for place, (test, against) in enumerate(columns):
        if against == _AVG and (test, judge) in means:
            rates[place] = means[test, judge].rate
    yield Line(judge, "win rate", rates)
    yield Line(
        "", "at equal length", [score.length_controlled if score else None for score in found]
    )
    yield Line(
        "", "same in both orders", [consistency(score) if score else None for score in found]
    )


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


def _markdown(columns: Sequence[Column], lines: Sequence[Line], note: str) -> str:
    def row(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cells)} |"

    tests = {column.test for column in columns}
    names = [f"{c.test}: {c.against}" if len(tests) > 1 else c.against for c in columns]
    head = [row(["judge", "student", *names]), row(["---", "---", *["---:"] * len(columns)])]
    body = [row([line.judge, line.what, *map(_plain, line.rates)]) for line in lines]
    return "\n".join([*head, *body, "", note])


def _plain(rate: Rate | None) -> str:
    if rate is None or rate.win_rate is None:
        return "-"
    return f"{percent(rate.win_rate)} ({percent(rate.ci_low)} to {percent(rate.ci_high)})"


def _latex(columns: Sequence[Column], lines: Sequence[Line], note: str) -> str:
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            "\\begin{table}",
            "\\centering",
            f"\\caption{{{_escape(note)}}}",
            f"\\begin{{tabular}}{{ll{'r' * len(columns)}}}",
            "\\toprule",
            *_latex_head(columns),
            *_latex_body(lines),
            "\\bottomrule",
            "\\end{tabular}",
            "\\end{table}",
        ]
    )


def _latex_head(columns: Sequence[Column]) -> Iterator[str]:
    """A line of test sets over a line of references, ruled together."""
    spans, rules, first = [], [], 3
    for test in dict.fromkeys(column.test for column in columns):
        width = sum(column.test == test for column in columns)
        spans.append(f"\\multicolumn{{{width}}}{{c}}{{{_escape(test)}}}")
        rules.append(f"\\cmidrule(lr){{{first}-{first + width - 1}}}")
        first += width
    yield f" & & {' & '.join(spans)} \\\\"
    yield " ".join(rules)
    yield f"judge & & {' & '.join(_escape(column.against) for column in columns)} \\\\"


def _latex_body(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if line.judge:
            yield "\\midrule"
        cells = [_escape(line.judge), line.what, *map(_latex_rate, line.rates)]
        yield f"{' & '.join(cells)} \\\\"


def _latex_rate(rate: Rate | None) -> str:
    if rate is None or rate.win_rate is None:
        return "--"
    interval = f"{percent(rate.ci_low)}--{percent(rate.ci_high)}"
    return f"{percent(rate.win_rate)} {{\\scriptsize ({interval})}}"


def _escape(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)
