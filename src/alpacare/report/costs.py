"""What the answers of others cost: each paid step with its calls, tokens and dollars."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.evaluation.score import Score
from alpacare.evaluation.score_table import Cell
from alpacare.pipeline.dvc_yaml import outputs
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import passed


@dataclass(frozen=True)
class Cost:
    """One step; None where a figure is not known."""

    what: str
    calls: int | None
    tokens_in: int | None
    tokens_out: int | None
    dollars: float | None
    models: tuple[str, ...] = ()


def read_costs(params: Params, scores: Mapping[Cell, Score]) -> list[Cost]:
    """Give the cost of the teacher, of sorting, of those who answered tests, and of each judge."""
    return [*_teacher(params), *_sorters(params), *_answers(params), *_judges(scores)]


def _teacher(params: Params) -> Iterator[Cost]:
    for stage in ("instructions", "responses"):
        (path,) = outputs("usage", "metrics/", paid=stage)
        if stage not in passed(params) and path.exists():
            usage = _read(path, {"calls", "dollars", "models"})
            counted = usage["calls"] > usage["without_token_counts"]
            yield Cost(
                f"teacher: {stage}",
                usage["calls"],
                usage["tokens_in"] if counted else None,
                usage["tokens_out"] if counted else None,
                usage["dollars"],
                tuple(usage["models"]),
            )


def _sorters(params: Params) -> Iterator[Cost]:
    for name in params.categories:
        (path,) = outputs("category_counts", "metrics/", sorter=name)
        if path.exists():
            told = _read(path, {"calls", "dollars", "models"})
            models = tuple(told["models"])
            yield Cost(f"sorting: {name}", told["calls"], None, None, told["dollars"], models)


def _answers(params: Params) -> Iterator[Cost]:
    """Who answers on a machine of one's own costs nothing a call: only what has a price is told."""
    for test in params.tests:
        files = {"student": outputs("answers", "metrics/", test=test)[0]}
        for name in params.judgments.references:
            item = {"test": test, "reference": name}
            files[name] = outputs("reference_answers", "metrics/", **item)[0]
        for name, path in files.items():
            told = _read(path, {"dollars"}) if path.exists() else {"dollars": None}
            if told["dollars"] is not None:
                yield Cost(f"answers to {test}: {name}", None, None, None, told["dollars"], (name,))


def _judges(scores: Mapping[Cell, Score]) -> Iterator[Cost]:
    for judge in dict.fromkeys(cell[2] for cell in scores):
        own = [score for cell, score in scores.items() if cell[2] == judge]
        models = tuple(dict.fromkeys(model for score in own for model in score.models))
        yield Cost(f"judge: {judge}", None, None, None, sum(s.dollars for s in own), models)


def _read(path: Path, keys: set[str]) -> dict[str, Any]:
    told = read_json(path)
    if not isinstance(told, dict) or not keys <= told.keys():
        raise BadInput(f"{path}: does not say {', '.join(sorted(keys))}; run `dvc repro`")
    return told
