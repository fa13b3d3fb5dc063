"""The cards of dataset and model, from templates/: what it is, who wrote it, its provenance."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from alpacare.core.names import public_name
from alpacare.display.html import open_templates
from alpacare.display.text import name_some
from alpacare.evaluation.score_table import format_score
from alpacare.pipeline.params import SourcesSettings
from alpacare.publishing.freshness import Commit, RecordedOutputs
from alpacare.publishing.package import SIGNATURE, Kind
from alpacare.records.response import Response

FILTERED = "metrics/filtered.json"
_SHOWN = 20  # changed files that a card lists by name
# the Hub's names, each for fewer rows than its number
_SIZES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
}


def render_card(kind: Kind, commit: Commit, values: Mapping[str, Any]) -> str:
    """Fill the template of that kind."""
    templates = open_templates(Path(__file__).parent / "templates").overlay(autoescape=False)
    templates.filters |= {
        "cell": _cell,
        "figures": format_score,
        "json": partial(json.dumps, indent=2),
        "yaml": json.dumps,  # YAML in one line
        "size_category": size_category,
        "thousands": "{:,}".format,
    }
    changed = name_some([f"`{name}`" for name in commit.changed], _SHOWN)
    template = templates.get_template(f"{kind}.md")
    return template.render(values, commit=commit, changed=changed, signature=SIGNATURE)


def describe_origin(
    sources: SourcesSettings, rows: Sequence[Response], recorded: RecordedOutputs
) -> dict[str, Any]:
    """Count who wrote the instructions, how many the filter kept, and who answered.

    Raises:
        BadInput: a file with these facts is missing or stale.
    """
    counts: dict[str, Any] = {}
    if sources.answers == "responses":
        counts["filtered"] = recorded.read(FILTERED)
        if sources.instructions == "instructions":
            counts["seeds"] = recorded.read("metrics/seeds.json")
            usage = recorded.read("metrics/llm_usage/instructions.json")
            counts["usage"] = {"models": _by_public_name(usage["models"])}
    return counts | {
        "sources": sources,
        "rows": len(rows),
        "answered": Counter(public_name(row.model) for row in rows),
        "cut_off": sum(row.finish_reason == "length" for row in rows),
    }


def _by_public_name(counts: Mapping[str, int]) -> Counter[str]:
    names = Counter[str]()
    for name, count in counts.items():
        names[public_name(name)] += count
    return names


def size_category(rows: int) -> str:
    """Give the Hub's size category of a number of rows."""
    return next((name for limit, name in _SIZES.items() if rows < limit), "n>10M")


def _cell(text: str) -> str:
    """Escape a text so that it stays inside its cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")
