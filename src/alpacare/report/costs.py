"""What the answers of LLMs cost: each paid step with its calls, tokens and dollars."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpacare.evaluation.score import Cell, Score
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import skipped_stages
from alpacare.report.answers import Answers
from alpacare.report.tables import read_figures


@dataclass(frozen=True)
class Cost:
    """One step; None where a figure is not known."""

    what: str
    calls: int | None
    tokens_in: int | None
    tokens_out: int | None
    dollars: float | None
    models: tuple[str, ...] = ()


def read_costs(
    params: Params, answers: Mapping[str, Sequence[Answers]], scores: Mapping[Cell, Score]
) -> list[Cost]:
    """Give the costs of the teacher, of checks and sorting, of answers to tests, of each judge."""
    judges = [*_judges(scores), *_rubric_judges(params)]
    return [*_teacher(params), *_checked(params), *_answers(answers), *judges]


def _teacher(params: Params) -> Iterator[Cost]:
    for stage in ("instructions", "responses"):
        if stage not in skipped_stages(params):
            yield from _usage(f"teacher: {stage}", *outputs("llm_usage", "metrics/", paid=stage))


def _checked(params: Params) -> Iterator[Cost]:
    for name in params.verifiers:
        path = outputs("verified_counts", "metrics/", verifier=name)[0]
        yield from _usage(f"checking answers: {name}", path)
    for name in params.categories:
        yield from _usage(f"sorting: {name}", *outputs("category_counts", "metrics/", sorter=name))


def _usage(what: str, path: Path) -> Iterator[Cost]:
    """Read a step's cost from its metrics; those of sorting count no tokens."""
    if not path.exists():
        return
    usage = read_figures(path, "calls", "dollars", "models")
    calls, models = usage["calls"], tuple(usage["models"])
    counted = calls > usage.get("without_token_counts", calls)
    tokens_in, tokens_out = (usage["tokens_in"], usage["tokens_out"]) if counted else (None, None)
    yield Cost(what, calls, tokens_in, tokens_out, usage["dollars"], models)


def _answers(answers: Mapping[str, Sequence[Answers]]) -> Iterator[Cost]:
    """Give what answers to the tests cost; those of models on one's own machine have no price."""
    for test, models in answers.items():
        for each in models:
            if (dollars := each.figures["dollars"]) is not None:
                yield Cost(f"answers to {test}: {each}", None, None, None, dollars, (each.model,))


def _judges(scores: Mapping[Cell, Score]) -> Iterator[Cost]:
    for judge in dict.fromkeys(cell.judge for cell in scores):
        own = [score for cell, score in scores.items() if cell.judge == judge]
        models = tuple(dict.fromkeys(model for score in own for model in score.models))
        yield Cost(f"judge: {judge}", None, None, None, sum(s.dollars for s in own), models)


def _rubric_judges(params: Params) -> Iterator[Cost]:
    models: list[tuple[str, int | None]] = [(run.student, run.seed) for run in params.runs()]
    models += [(name, None) for name in params.judgments.contestants]
    for judge in params.judgments.rubric_judges:
        files = [
            paths.rubric_score(test, *model, judge) for test in params.tests for model in models
        ]
        found = [read_figures(path, "dollars", "models") for path in files if path.exists()]
        if found:
            versions = tuple(dict.fromkeys(name for each in found for name in each["models"]))
            dollars = sum(each["dollars"] for each in found)
            yield Cost(f"judge: {judge}", None, None, None, dollars, versions)
