"""The score of one judge's verdicts on one reference, in `metrics/scores/`.

Shares lie in 0..1 and are rounded to four places, so that diffs can be read.
"""

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, field_validator

from alpacare.core.jsonl import Row


class Cell(NamedTuple):
    """One judge's verdicts on a model and a reference, on one test set.

    `model`: a student, with the training seed that made it, or another model, with none.
    """

    test: str
    model: str
    seed: int | None
    reference: str
    judge: str

    def __str__(self) -> str:
        seed = "" if self.seed is None else f" (seed {self.seed})"
        return f"{self.test}, {self.model}{seed}, {self.reference}, {self.judge}"


class JudgeRun(BaseModel):
    """What scores use of the file that a judge's stage writes beside its verdicts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    labels: list[str] = []
    models: list[str] = []
    dollars: float = 0.0  # a judge that is no LLM costs nothing
    call_seconds: float | None = None
    left_out: str | None = None  # why the judge has no verdicts, if it has none

    @field_validator("models", mode="before")
    @classmethod
    def _names(cls, models: Any) -> Any:
        """Keep the versions, not how often each answered."""
        return list(models) if isinstance(models, dict) else models


FEWEST_ITEMS = 10  # test items for a figure to say something


def too_few_items(n: int) -> str | None:
    """Say why a figure over n test items says nothing, if so: it is shown in grey."""
    return None if n >= FEWEST_ITEMS else f"fewer than {FEWEST_ITEMS} test items"


class Rate(Row):
    """A win rate in ci_low..ci_high over n items; null where there is none."""

    win_rate: float | None
    ci_low: float | None
    ci_high: float | None
    n: int


class Outcomes(Row):
    """Test items won, tied and lost."""

    wins: int
    ties: int
    losses: int


class Score(Row):
    """One judge's verdicts on one reference.

    win_rate: AlpaCare's, the mean over items of win 1, tie 0.5, loss 0, both orders averaged. n
    items, n_valid of them with readable verdicts in both orders. bound_low, bound_high: the win
    rate if every failure were a loss, or a win. wins, ties, losses: items by their mean score.
    """

    win_rate: float | None
    ci_low: float | None
    ci_high: float | None
    confidence: float
    n: int
    n_valid: int
    failures: int  # verdicts that could not be read, of 2 n times samples
    failure_rate: float | None
    bound_low: float | None
    bound_high: float | None
    wins: int
    ties: int
    losses: int
    tie_rate: float | None  # of the items
    position_consistency: float | None  # items with the same verdict in both orders
    first_slot_rate: float | None  # verdicts without ties: those for the answer shown first
    mtbench: Rate  # won only if both orders agree, else a tie (Zheng et al. 2023)
    mtbench_outcomes: Outcomes | None = None  # by that rule; null in scores of earlier versions
    non_tied: Rate  # wins of wins and losses
    length_controlled: Rate  # null where longer or shorter answers are too few
    length_controlled_why: str | None = None  # the reason
    length_ratio: float | None  # characters of the student per one of the reference, median item
    longer_preferred: float | None  # items won or lost: those where the longer answer won
    published: Rate | None  # by AlpaCare's script, for judges that answer "Output (a)"
    samples: int
    self_consistency: float | None  # how often two samples of one judgment agree
    ratings: dict[str, list[float]]  # by criterion, the mean of student and reference
    by_difficulty: dict[str, Rate]
    by_type: dict[str, Rate]
    models: list[str]  # the versions that answered
    dollars: float
    seconds: float | None  # of the judge's calls, which overlap; null where no clock was kept
