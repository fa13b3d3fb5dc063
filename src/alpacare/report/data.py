"""All that the page shows, gathered from metrics in Git and from data where it is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alpacare.comparison.agreement import REVIEWS, measure
from alpacare.comparison.mean_win_rates import average_all
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.evaluation import agreement
from alpacare.evaluation.score import Mean, Score
from alpacare.evaluation.score_table import Cell, read_score
from alpacare.lineage.funnel import Funnel, count_all
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.report.browser import gather_items
from alpacare.report.costs import Cost, read_costs
from alpacare.report.dataset import Dataset, read_datasets
from alpacare.report.origin import Origin, read_origin
from alpacare.report.tables import read_table
from alpacare.review.returned import read_returned

SMOKE_DETECTORS = ("overlap", "longest")  # judges that know no medicine


@dataclass(frozen=True)
class Training:
    """How training went: `figures` of metrics/curves.json, loss (nats a token) by step."""

    figures: dict[str, Any]
    curve: list[tuple[int, float, float]]  # step, loss, learning rate
    validation: list[tuple[int, float]]  # step, loss


@dataclass(frozen=True)
class Report:
    """What the page shows; what is not here is empty or None, and its file stands in `missing`."""

    params: Params
    scores: Mapping[Cell, Score]
    means: Mapping[tuple[str, str], Mean]  # by test set and judge
    training: Training | None
    funnel: Funnel
    datasets: Sequence[Dataset]
    costs: Sequence[Cost]
    people: agreement.Report | None
    origin: Origin
    tests: Sequence[Mapping[str, Any]]  # as browser.py says
    missing: Sequence[str]
    notes: Sequence[str]

    @property
    def confidence(self) -> float:
        """How wide intervals are."""
        return self.params.scores.confidence


def gather_report(params: Params) -> Report:
    """Gather everything.

    Raises:
        BadInput: a file that is here and is not what it should be.
    """
    paths = {cell: paths.score(*cell) for cell in params.cells()}
    scores = {cell: read_score(path) for cell, path in paths.items() if path.exists()}
    costs = read_costs(params, scores)
    tests, missing = gather_items(params)
    missing = [str(path) for path in paths.values() if not path.exists()] + missing
    people, notes = (None, []) if missing else _ask_people(params)
    return Report(
        params=params,
        scores={cell: score for cell, score in scores.items() if score.n},
        means=average_all(params),
        training=_read_training(),
        funnel=count_all(),
        datasets=read_datasets(params),
        costs=costs,
        people=people,
        origin=read_origin(params, costs),
        tests=tests,
        missing=missing,
        notes=notes,
    )


def _read_training() -> Training | None:
    figures, curve, validation = outputs("curves", "metrics/")
    if not all(path.exists() for path in (figures, curve, validation)):
        return None
    told = read_json(figures)
    if not isinstance(told, dict) or not {"loss_start", "loss_end", "steps"} <= told.keys():
        raise BadInput(f"{figures}: does not say how training went; run `dvc repro curves`")
    return Training(
        told,
        read_table(curve, [("step", int), ("loss", float), ("learning_rate", float)]),
        read_table(validation, [("step", int), ("loss", float)]),
    )


def _ask_people(params: Params) -> tuple[agreement.Report | None, list[str]]:
    """Compare judges with one another and with people; what stands in the way is told."""
    files = sorted(REVIEWS.glob("*.jsonl"))
    if not files and len(params.judgments.judges) < 2:
        return None, []
    try:
        return measure(params, read_returned(files)), []
    except BadInput as error:  # what people sent in is no reason to show nothing
        return None, [f"Agreement of judges and people is not shown: {error}"]
