"""The reviewer's page: one file, no network, and nothing in it that says whose answer is whose."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from alpacare.review.criteria import CRITERIA
from alpacare.review.key import Key, Pairs

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("sha256.js", "file.js", "state.js", "review.js")


def make_page(key: Key, pairs: Pairs, reviewer: str) -> str:
    """Fill the page; texts come as data, never as markup, and no other script may run."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    style = _read("review.css")
    script = "\n".join(['"use strict";', *map(_read, SCRIPTS)])
    return pages.get_template("review.html").render(
        style=style,
        script=script,
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        sample=_as_data(_shown(key, pairs, reviewer)),
        criteria=CRITERIA,
        items=len(pairs),
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


def _as_data(value: Any) -> str:
    """Write JSON that ends no script element, whatever stands in it."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Name a script or style in the page's security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
