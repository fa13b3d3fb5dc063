"""What the page shows, gathered from metrics in Git and from data where it is here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alpacare.comparison.agreement import REVIEWS, measure_agreement
from alpacare.comparison.mean_win_rates import average_win_rates
from alpacare.core.errors import BadInput
from alpacare.evaluation import agreement
from alpacare.evaluation.score import Cell, Mean, Score
from alpacare.evaluation.score_table import read_score
from alpacare.lineage.funnel import Funnel, count_all
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.report.browser import gather_items
from alpacare.report.costs import Cost, read_costs
from alpacare.report.dataset import Dataset, read_datasets
from alpacare.report.origin import Origin, read_origin
from alpacare.report.tables import read_figures, read_table
from alpacare.review.returned_reviews import read_reviews

SANITY_CHECKS = ("overlap", "longest")  # judges that know no medicine


@dataclass(frozen=True)
class Training:
    """The course of training: its figures, and the loss in nats a token by step."""

    figures: dict[str, Any]
    curve: list[tuple[int, float, float]]  # step, loss, learning rate
    validation: list[tuple[int, float]]  # step, loss


@dataclass(frozen=True)
class ReportData:
    """What the page shows; what is missing is empty or None, and its file is in `missing`."""

    params: Params
    scores: Mapping[Cell, Score]
    means: Mapping[tuple[str, str], Mean]  # by test set and judge
    training: Training | None
    funnel: Funnel
    datasets: Sequence[Dataset]
    costs: Sequence[Cost]
    people: agreement.AgreementReport | None
    origin: Origin
    tests: Sequence[Mapping[str, Any]]  # as browser.py says
    missing: Sequence[str]
    notes: Sequence[str]


def gather_report(params: Params) -> ReportData:
    """Gather everything.

    Raises:
        BadInput: a file that is here and is not what it should be.
    """
    files = {cell: paths.score(*cell) for cell in params.cells()}
    scores = {cell: read_score(path) for cell, path in files.items() if path.exists()}
    costs = read_costs(params, scores)
    tests, missing = gather_items(params)
    missing = [str(path) for path in files.values() if not path.exists()] + missing
    people, notes = (None, []) if missing else _read_agreement(params)
    return ReportData(
        params=params,
        scores={cell: score for cell, score in scores.items() if score.n},
        means=average_win_rates(params),
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
    figures, curve, validation = outputs("training_curves", "metrics/")
    if not all(path.exists() for path in (figures, curve, validation)):
        return None
    return Training(
        read_figures(figures, "loss_start", "loss_end", "steps"),
        read_table(curve, {"step": int, "loss": float, "learning_rate": float}),
        read_table(validation, {"step": int, "loss": float}),
    )


def _read_agreement(params: Params) -> tuple[agreement.AgreementReport | None, list[str]]:
    """Compare judges with one another and with people; or say why not."""
    files = sorted(REVIEWS.glob("*.jsonl"))
    if not files and len(params.judgments.all_judges) < 2:
        return None, []
    try:
        return measure_agreement(params, read_reviews(files)), []
    except BadInput as error:  # a bad review file must not stop the report
        return None, [f"Agreement of judges and people is not shown: {error}"]
