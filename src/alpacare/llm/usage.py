"""What a stage's answers used: tokens, dollars, retries, model versions; and the rows they brought.
From the answers alone, so that a rerun that buys nothing says the same.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core.files import write_json
from alpacare.llm.reply import Answer
from alpacare.records.dropped import Dropped


def report_usage(answers: Iterable[Answer], kept: int, lost: Sequence[Dropped], path: Path) -> None:
    """Write a stage's usage and what came of it; warn when the model behind its name changed.

    `kept` rows were made of the answers, and the `lost` could not be.
    """
    reasons = Counter(row.reason for row in lost)
    rows = {"kept": kept, "not_usable": len(lost), "reasons": dict(sorted(reasons.items()))}
    usage = {"rows": rows, **count_usage(answers)}
    write_json(path, usage)
    if usage["drift"]:
        versions = ", ".join([*usage["models"], *usage["fingerprints"]])
        click.secho(
            f"warning: not all answers are from one version of the model: {versions}",
            fg="yellow",
            err=True,
        )


def count_usage(answers: Iterable[Answer]) -> dict[str, Any]:
    """Sum answers up, each paid call once; seconds are the calls' own, so they overlap."""
    calls = _calls(answers)
    # a prompt that a filter refused was answered by no version of the model
    models = Counter(a.model for a in calls if not (a.refused and not a.tokens_in))
    fingerprints = Counter(answer.fingerprint for answer in calls if answer.fingerprint)
    retries: Counter[str] = Counter()
    for answer in calls:
        retries.update(answer.call.retries if answer.call else {})
    return {
        "calls": len(calls),
        "by_batch": sum(bool(a.call and a.call.mode == "batch") for a in calls),
        "tokens_in": sum(a.tokens_in for a in calls),
        "tokens_out": sum(a.tokens_out for a in calls),
        "without_token_counts": sum(a.tokens_in == 0 for a in calls),
        "dollars": round(sum(a.price or 0.0 for a in calls), 6),
        "prices": sorted({a.call.prices for a in calls if a.call and a.call.prices}),
        "call_seconds": round(sum(a.call.seconds for a in calls if a.call), 1),
        "retries": dict(sorted(retries.items())),
        "finish_reasons": dict(sorted(Counter(a.finish_reason for a in calls).items())),
        "refused": sum(a.refused for a in calls),
        "asked_again_with_more_room": sum(a.cut is not None for a in calls),
        "models": dict(sorted(models.items())),
        "fingerprints": dict(sorted(fingerprints.items())),
        "drift": len(models) > 1 or len(fingerprints) > 1,
    }


def _calls(answers: Iterable[Answer]) -> list[Answer]:
    """Every call behind these answers, once: those that were cut off and replaced too."""
    calls: dict[str, Answer] = {}
    for answer in answers:
        each: Answer | None = answer
        while each is not None:
            calls.setdefault(each.key, each)
            each = each.cut
    return list(calls.values())
