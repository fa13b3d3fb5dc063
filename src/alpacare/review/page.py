"""The reviewer's page: one file, no network, and no information on whose answer is whose."""

from pathlib import Path

from alpacare.display.html import as_script_json, content_security_policy, open_templates
from alpacare.records.pairs import Pairs
from alpacare.review.criteria import CRITERIA
from alpacare.review.key import Key

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("sha256.js", "file.js", "state.js", "review.js")


def make_review_page(key: Key, pairs: Pairs, reviewer: str) -> str:
    """Fill the page; texts are data, never markup, and no other script may run."""
    style = _read("review.css")
    script = "\n".join(['"use strict";', *map(_read, SCRIPTS)])
    sample = {  # what a reviewer may see: no test set, no reference, no generator
        "sample": key.sample,
        "reviewer": reviewer,
        "criteria": [criterion.name for criterion in CRITERIA],
        "items": shown_items(key, pairs),
    }
    template = open_templates(TEMPLATES).get_template("review.html")
    return template.render(
        style=style,
        script=script,
        policy=content_security_policy(style, script),
        sample=as_script_json(sample),
        criteria=CRITERIA,
        items=len(pairs),
    )


def shown_items(key: Key, pairs: Pairs) -> list[dict[str, str]]:
    """Give each item's texts, by side."""
    shown = []
    for item, (ours, theirs) in zip(key.items, pairs, strict=True):
        task = ours.model_dump(include={"id", "instruction", "input"})
        first, second = item.as_shown(ours.output, theirs.output)
        shown.append(task | {"a": first, "b": second})
    return shown


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
