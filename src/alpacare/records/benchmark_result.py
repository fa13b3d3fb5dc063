"""What one model made of one item of a benchmark.

{"id": "5e1f...", "answer": 1, "choices": 4, "chosen": 0, "output": null, "score": 0.0,
 "likelihoods": [-2.31, -2.4, -2.9, -3.3], "too_long": false, "cut_off": false, "subject": null}
"""

from pathlib import Path

from pydantic import Field

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.jsonl import Row


class BenchmarkResult(Row):
    """`score` is 0 to 1 by the benchmark's first metric; null if nothing could be scored.

    `chosen`: the place of the choice that the metric took; `likelihoods`: the natural logarithm of
    the probability of each choice, null where it is no number. `too_long`: the model saw the end of
    the question only, as it takes no more tokens; `cut_off`: its text ended at the token limit.
    """

    id: str
    answer: int | str
    choices: int
    chosen: int | None
    output: str | None
    score: float | None = Field(ge=0, le=1)
    likelihoods: list[float | None] | None
    too_long: bool
    cut_off: bool
    subject: str | None


def read_results(path: Path) -> list[BenchmarkResult]:
    """Read what a model made of a benchmark.

    Raises:
        BadInput: no rows, a bad row, or two of one item.
    """
    rows = jsonl.read(path, BenchmarkResult, unique="id")
    if not rows:
        raise BadInput(f"{path}: no results")
    return rows
