"""Who wrote what, and what was dropped, as rows of a card's table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alpacare.core.files import read_json
from alpacare.pipeline.params import SourcesSettings
from alpacare.publishing.freshness import Lock
from alpacare.records.response import Response

FILTERED = "metrics/filtered.json"
_OURS = "seeds/medical"

Facts = list[tuple[str, str]]


def tell_origin(sources: SourcesSettings, rows: Sequence[Response], lock: Lock) -> Facts:
    """Say who wrote the instructions, how many the filter kept, and who answered.

    Raises:
        BadInput: a file that tells it is missing or stale.
    """
    answered = Counter(row.model for row in rows)
    cut_off = sum(row.finish_reason == "length" for row in rows)
    return [
        *_instructions(sources, lock),
        ("answers written by", _list(answered)),
        ("answers cut off by the token limit", f"{cut_off:,} of {len(rows):,}"),
    ]


def _instructions(sources: SourcesSettings, lock: Lock) -> Facts:
    if sources.responses != "responses":
        return [("instructions and answers", f"brought in: `data/{sources.responses}.jsonl`")]
    kept = ("instructions kept by the filter", _filtered(_read(FILTERED, lock)))
    if sources.instructions != "instructions":
        return [("instructions", f"brought in: `data/{sources.instructions}.jsonl`"), kept]
    seeds = _read("metrics/seeds.json", lock)
    by = "written for this project, " if sources.seeds == _OURS else ""
    usage = _read("metrics/usage/instructions.json", lock)
    return [
        ("seed tasks", f"{seeds['seeds']:,}, {by}from `data/{sources.seeds}.jsonl`"),
        ("instructions written by", _list(usage["models"], " calls")),
        kept,
    ]


def _read(path: str, lock: Lock) -> Any:
    lock.check(path)
    return read_json(Path(path))


def _filtered(counts: Mapping[str, Any]) -> str:
    dropped = {reason: n for reason, n in counts["dropped"].items() if n}
    why = ", ".join(f"{n:,} {reason}" for reason, n in dropped.items())
    return f"{counts['kept']:,} of {counts['instructions']:,}" + (
        f"; dropped: {why}" if why else ""
    )


def _list(models: Mapping[str, int], unit: str = "") -> str:
    return ", ".join(f"`{name}` ({n:,}{unit})" for name, n in sorted(models.items())) or "nobody"
