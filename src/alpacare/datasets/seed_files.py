"""Seed tasks as people wrote them: read, checked, and given one spelling."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import Field

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json, read_text
from alpacare.core.settings import Settings
from alpacare.records.labels import canonical_difficulty, canonical_type, without_placeholder
from alpacare.records.task import Seed, TaskType, row_id

FIELDS = ("instruction", "input", "type", "topic", "view", "difficulty")


class SeedsSettings(Settings):
    """Section `seeds` of params.yaml."""

    take: int | None = Field(gt=0)


def read_source(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, object) for each row of a JSON array or a JSON Lines file."""
    if not read_text(path).lstrip().startswith("["):
        return ((f"{path}:{number}", row) for number, row in jsonl.read_objects(path))
    rows = enumerate(read_json(path), start=1)
    return ((f"{path}: row {number}", row) for number, row in rows)


def normalise(rows: Iterable[tuple[str, dict[str, Any]]], source: Path) -> list[Seed]:
    """Check each row and give types, difficulty, input, topics and views one spelling.

    Raises:
        BadInput: no rows, a row that is no seed task, or the same task twice.
    """
    places: dict[str, str] = {}
    seeds: list[dict[str, Any]] = []
    for place, row in rows:
        seed = _normalise_row(row, place)
        if seed["id"] in places:
            raise BadInput(f"{place}: the same task as {places[seed['id']]}; keep one of them")
        places[seed["id"]] = place
        seeds.append(seed)
    if not seeds:
        raise BadInput(f"{source}: no seed tasks; write at least one JSON object a line")
    for field in ("topic", "view"):
        _unify_spelling(seeds, field)
    return [
        jsonl.validate(Seed, seed, place)
        for seed, place in zip(seeds, places.values(), strict=True)
    ]


def _normalise_row(row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadInput(f"{place}: expected a JSON object, found {type(row).__name__}")
    for key in row.keys() - {*FIELDS, "id"}:
        raise BadInput(f"{place}: unknown field '{key}'; a seed has {', '.join(FIELDS)}")
    seed = {field: _text(row, field, place) for field in FIELDS if field != "difficulty"}
    seed["input"] = without_placeholder(seed["input"])
    kind = canonical_type(seed["type"])
    if kind is None:
        raise BadInput(
            f"{place}: type '{seed['type']}' is none of the ten: {', '.join(get_args(TaskType))}"
        )
    difficulty = canonical_difficulty(row.get("difficulty"))
    if difficulty is None:
        raise BadInput(f"{place}: difficulty {row.get('difficulty')!r} is not a number from 1 to 5")
    id = row_id(seed["instruction"], seed["input"])
    return {"id": id, **seed, "type": kind, "difficulty": difficulty}


def _text(row: dict[str, Any], field: str, place: str) -> str:
    value = row.get(field)
    if value is None and field == "input":
        return ""
    if value is None or (isinstance(value, str) and not value.strip() and field != "input"):
        raise BadInput(f"{place}: '{field}' is missing or empty")
    if not isinstance(value, str):
        raise BadInput(f"{place}: '{field}' must be text, found {type(value).__name__}")
    return value.strip()


def _unify_spelling(seeds: list[dict[str, Any]], field: str) -> None:
    """Write values that differ only by case as the most frequent (then first) spelling."""
    spellings: dict[str, Counter[str]] = {}
    for seed in seeds:
        spellings.setdefault(seed[field].casefold(), Counter())[seed[field]] += 1
    for seed in seeds:
        seed[field] = spellings[seed[field].casefold()].most_common(1)[0][0]
