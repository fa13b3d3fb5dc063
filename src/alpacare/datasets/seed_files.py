"""Seed tasks as people write them: read, checked, and given one spelling."""

from collections import Counter
from pathlib import Path
from typing import Any, get_args

from pydantic import Field

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings
from alpacare.datasets.fields import read_field
from alpacare.datasets.json_tables import json_rows
from alpacare.records.label_normalisation import (
    normalise_difficulty,
    normalise_input,
    normalise_type,
)
from alpacare.records.task import Seed, TaskType, row_id, same_task_key

FIELDS = ("instruction", "input", "type", "topic", "view", "difficulty")


class SeedsSettings(Settings):
    """Section `seeds` of params.yaml."""

    take: int | None = Field(gt=0)
    seed: int = 0  # of the draw


def read_seeds(path: Path, repairs: Counter[str] | None = None) -> list[Seed]:
    """Read seeds; types, difficulty, input, topics and views get one spelling.

    `repairs` counts what was repaired in their texts.

    Raises:
        BadInput: no rows, a row that is not a seed task, or the same task twice.
    """
    places: dict[str, str] = {}
    seeds: list[dict[str, Any]] = []
    repairs = Counter() if repairs is None else repairs
    for place, row in json_rows(path):
        seed = _normalise(row, place, repairs)
        key = same_task_key(seed["instruction"], seed["input"])
        if key in places:
            raise BadInput(f"{place}: the same task as {places[key]}; keep one of them")
        places[key] = place
        seeds.append(seed)
    if not seeds:
        raise BadInput(f"{path}: no seed tasks; write at least one JSON object a line")
    for field in ("topic", "view"):
        _unify_spelling(seeds, field)
    return [
        jsonl.validate(Seed, seed, place)
        for seed, place in zip(seeds, places.values(), strict=True)
    ]


def _normalise(row: dict[str, Any], place: str, repairs: Counter[str]) -> dict[str, Any]:
    for key in row.keys() - {*FIELDS, "id"}:
        raise BadInput(f"{place}: unknown field '{key}'; a seed has {', '.join(FIELDS)}")
    seed = {field: read_field(row, field, place, repairs) for field in FIELDS[:-1]}
    for field, text in seed.items():
        if not text and field != "input":
            raise BadInput(f"{place}: '{field}' is missing or empty")
    seed["input"] = normalise_input(seed["input"])
    kind = normalise_type(seed["type"])
    if kind is None:
        raise BadInput(
            f"{place}: type '{seed['type']}' is none of the ten: {', '.join(get_args(TaskType))}"
        )
    difficulty = normalise_difficulty(row.get("difficulty"))
    if difficulty is None:
        raise BadInput(f"{place}: difficulty {row.get('difficulty')!r} is not a number from 1 to 5")
    id = row_id(seed["instruction"], seed["input"])
    return {"id": id, **seed, "type": kind, "difficulty": difficulty}


def _unify_spelling(seeds: list[dict[str, Any]], field: str) -> None:
    """Write values that differ only by case as the most frequent (then first) spelling."""
    spellings: dict[str, Counter[str]] = {}
    for seed in seeds:
        spellings.setdefault(seed[field].casefold(), Counter())[seed[field]] += 1
    for seed in seeds:
        seed[field] = spellings[seed[field].casefold()].most_common(1)[0][0]
