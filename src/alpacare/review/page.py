"""The reviewer's page: one file, no network, and nothing in it that says whose answer is whose."""

from pathlib import Path
from typing import Any

from alpacare.display.html import as_data, open_templates, policy
from alpacare.review.criteria import CRITERIA
from alpacare.review.key import Key, Pairs

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("sha256.js", "file.js", "state.js", "review.js")


def make_page(key: Key, pairs: Pairs, reviewer: str) -> str:
    """Fill the page; texts come as data, never as markup, and no other script may run."""
    style = _read("review.css")
    script = "\n".join(['"use strict";', *map(_read, SCRIPTS)])
    return (
        open_templates(TEMPLATES)
        .get_template("review.html")
        .render(
            style=style,
            script=script,
            policy=policy(style, script),
            sample=as_data(_shown(key, pairs, reviewer)),
            criteria=CRITERIA,
            items=len(pairs),
        )
    )


def _shown(key: Key, pairs: Pairs, reviewer: str) -> dict[str, Any]:
    """Give all that a reviewer may see: no test set, no reference, no generator."""
    return {
        "sample": key.sample,
        "reviewer": reviewer,
        "criteria": [criterion.name for criterion in CRITERIA],
        "items": shown_items(key, pairs),
    }


def shown_items(key: Key, pairs: Pairs) -> list[dict[str, str]]:
    """Give each item's texts, by side."""
    shown = []
    for item, (ours, theirs) in zip(key.items, pairs, strict=True):
        first, second = (ours, theirs) if item.a == "model" else (theirs, ours)
        shown.append(
            {
                "id": ours.id,
                "instruction": ours.instruction,
                "input": ours.input,
                "a": first.output,
                "b": second.output,
            }
        )
    return shown


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
