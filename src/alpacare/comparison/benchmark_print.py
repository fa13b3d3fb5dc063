"""The leaderboards of benchmarks in the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from alpacare.comparison.benchmark_board import BenchmarkBoard, BenchmarkEntry
from alpacare.comparison.sentences import (
    describe_duels,
    describe_parts,
    describe_pools,
)
from alpacare.core.texts import escape_controls
from alpacare.evaluation.benchmark_score import Letter
from alpacare.evaluation.score_table import fold_name, make_table, percent, short_interval

if TYPE_CHECKING:
    from rich.table import Table

METRICS = {
    "acc": "accuracy",
    "acc_norm": "accuracy, likelihoods by length",
    "acc_bytes": "accuracy, likelihoods by length in bytes",
    "rougeL": "ROUGE-L",
    "rouge_l": "ROUGE-L",
}
GUESSING = "guessing"
_NAME = 11  # characters of a name in one line
_MOST_LETTERS = 6  # shares that fit in a line

_LEGEND = """\
Benchmarks by lm-eval, %: mean over training seeds; in brackets its {:g} % interval, \
over items and seeds. Rank: as on the other leaderboards. Items: those with a score, \
and of how many if not of all. Letters: how often each choice was taken, beside \
`guessing` how often it is right: a model that takes one letter has learned no \
medicine. Failed, too long, cut: items over all seeds without a score, whose beginning \
did not fit, whose text ended at the token limit. docs/benchmarks.md"""


def print_benchmark_boards(boards: Sequence[BenchmarkBoard], confidence: float) -> None:
    """Print each board, what it says of the students, and what its figures mean."""
    from rich.console import Console

    if not boards:
        return
    console = Console(highlight=False, markup=False, emoji=False)
    for board in boards:
        console.print(_make_table(board))
        for line in _sentences(board):
            console.print(escape_controls(line))
        console.print()
    console.print(_LEGEND.format(confidence))
    for line in describe_pools((each.name, each.seeds) for each in boards):
        console.print(line)


def metric_name(metric: str) -> str:
    """Write a metric of lm-eval in words."""
    return METRICS.get(metric, metric)


def write_letters(letters: Mapping[str, Letter], field: str) -> str:
    """Write shares in whole percent, "97 1 1 1"; of very many letters the most frequent ones."""
    shares = {letter: getattr(each, field) for letter, each in letters.items()}
    if len(shares) <= _MOST_LETTERS:
        return " ".join(f"{100 * share:.0f}" for share in shares.values())
    most = sorted(shares, key=lambda letter: -shares[letter])[:2]
    return " ".join(f"{letter} {100 * shares[letter]:.0f}" for letter in most)


def _make_table(board: BenchmarkBoard) -> "Table":
    letters = list(dict.fromkeys(each for entry in board.entries for each in entry.letters))
    shown = f"letters\n{' '.join(sorted(letters)) if len(letters) <= _MOST_LETTERS else ''}"
    figures = ["score", "items", "seeds", *([shown] if letters else []), "failed", "too\nlong"]
    figures += [] if letters else ["cut"]
    table = make_table(f"{board.name}: {metric_name(board.metric)}", ("rank", "model"), figures)
    for entry in board.entries:
        table.add_row(
            str(entry.rank),
            fold_name(entry.model.name, _NAME),
            short_interval(entry.rate),
            _items(entry),
            str(len(entry.runs)) if entry.model.seeds else "-",
            *([write_letters(entry.letters, "chosen")] if letters else []),
            str(entry.failures),
            str(entry.too_long),
            *([] if letters else [str(entry.cut_off)]),
        )
    if letters:
        right = write_letters(board.entries[0].letters, "right")
        table.add_row("-", GUESSING, percent(board.chance), "-", "-", right, "-", "-")
    return table


def _items(entry: BenchmarkEntry) -> str:
    return f"{entry.rate.n:,}" if entry.rate.n == entry.n else f"{entry.rate.n:,}/{entry.n:,}"


def _sentences(board: BenchmarkBoard) -> Iterator[str]:
    yield from describe_duels(board.duels)
    parts = [
        f"{each.model.name}: {describe_parts(each.parts, each.seeds.unknown)}"
        for each in board.entries
    ]
    yield f"Uncertainty in points: {'; '.join(parts)}."
    yield from board.missing
