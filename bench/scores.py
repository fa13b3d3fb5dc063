"""From 9,728 replies to win rates: what the paper's set-up takes once the judge has answered.

    python bench/scores.py

1,216 items (216 and 1,000) against four references in both orders, read, scored with every figure
and resampled 2,000 times. Beside it, in the same run, the plain way to one figure alone: a loop
over resamples of Python lists, which gives the win rate's interval and nothing else.
"""

import random
import statistics
import time
from collections.abc import Callable
from typing import Any, TypeVar

import click
import results

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import ORDERS, gather
from alpacare.evaluation.score import JudgeRun, Score
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.judging.verdicts.labels import Labels
from alpacare.judging.verdicts.reading import read_verdict
from alpacare.records.judgment import Judgment

T = TypeVar("T")
SETS, REFERENCES, RESAMPLES = (216, 1000), 4, 2000
FORM = Labels(form="labels", first="Output (a)", second="Output (b)", tie="Tie")
SAID = (
    "{}",
    "**{}**",
    "The better answer is {}.",
    "{} is better, as it names the warning signs and says when to see a doctor.",
    "Both answers explain the condition, but one of them invents a dose.\n\nVerdict: {}",
)


def make_replies() -> list[list[tuple[str, str, str, list[str]]]]:
    """A list a cell of (id, order, reply, what the judge was shown)."""
    draw = random.Random(0)
    words = ["the", "a", "of", "fever", "heart", "dose", "Output", "(a)", "is", "better", "rest"]
    cells = []
    for n in SETS * REFERENCES:
        cell = []
        for id in range(n):
            shown = [" ".join(draw.choices(words, k=draw.randint(5, 200))) for _ in range(4)]
            for order in ORDERS:
                label = draw.choices(("Output (a)", "Output (b)", "Tie"), (5, 4, 1))[0]
                cell.append((str(id), order, draw.choice(SAID).format(label), shown))
        cells.append(cell)
    return cells


def read(cell: list[tuple[str, str, str, list[str]]]) -> list[Judgment]:
    rows = []
    for id, order, raw, shown in cell:
        slot = read_verdict(raw, FORM, shown).slot
        won = (slot == "first") == (order == "model_first")
        verdict: Any = slot if slot in (None, "tie") else "model" if won else "reference"
        rows.append(Judgment(id=id, order=order, verdict=verdict, raw=raw, request=""))  # type: ignore[arg-type]
    return rows


def score(rows: list[Judgment]) -> Score:
    draw = random.Random(1)
    ids = {row.id for row in rows}
    pairs = {
        id: ItemFacts(draw.randint(50, 2000), draw.randint(50, 2000), draw.randint(1, 5), "chat")
        for id in sorted(ids)
    }
    return score_judgments(
        rows,
        pairs,
        Resampling(resamples=RESAMPLES, confidence=0.95, seed=0),
        JudgeRun(labels=[FORM.first]),
    )


def plain_loop(rows: list[Judgment]) -> tuple[float, float]:
    """The interval of the win rate by percentiles, one resample after the other."""
    draw = random.Random(2)
    preferences = gather(rows).item_preferences().tolist()
    values = [0.5 + each for each in preferences if each == each]
    means = sorted(statistics.fmean(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    return means[round(0.025 * RESAMPLES)], means[round(0.975 * RESAMPLES) - 1]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Measure reading and scoring of the paper's number of replies."""
    cells = make_replies()
    judged, reading = timed(lambda: [read(cell) for cell in cells])
    scores, scoring = timed(lambda: [score(rows) for rows in judged])
    plain, looping = timed(lambda: [plain_loop(rows) for rows in judged])
    for ours, (low, high) in zip(scores, plain, strict=True):  # right before quick
        assert ours.ci_low is not None
        assert ours.ci_high is not None
        assert abs(ours.ci_low - low) < 0.012, (ours.ci_low, low)
        assert abs(ours.ci_high - high) < 0.012, (ours.ci_high, high)
    unread = sum(score.failures for score in scores)
    print(f"{sum(map(len, cells)):,} replies in {len(cells)} cells, {unread} without a verdict")
    seconds = {
        "reading, s": reading,
        "scoring, s": scoring,
        "reading and scoring, s": reading + scoring,
        "plain loop, s": looping,
    }
    results.report("scores", {name: round(value, 2) for name, value in seconds.items()}, save)


if __name__ == "__main__":
    main()
