"""Usage of a stage's answers: tokens, dollars, retries, model versions; and the rows made of them.

Computed from the answers only, so that a rerun from the ledger gives the same.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from alpacare.core.files import write_json
from alpacare.llm.reply import Answer
from alpacare.llm.reply_reader import UNKNOWN
from alpacare.records.dropped import Dropped


def report_usage(
    answers: Iterable[Answer], kept: int, dropped: Sequence[Dropped], path: Path
) -> None:
    """Write a stage's usage and rows; warn when the server changed the model's version.

    `kept` rows were made of the answers; `dropped` could not be.
    """
    reasons = Counter(row.reason for row in dropped)
    rows = {"kept": kept, "not_usable": len(dropped), "reasons": dict(sorted(reasons.items()))}
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
    """Sum up answers, each paid call once; seconds are the calls' own, so they overlap."""
    by_key: dict[str, Answer] = {}  # also those that were cut off and replaced
    for each in answers:
        answer: Answer | None = each
        while answer is not None:
            by_key.setdefault(answer.key, answer)
            answer = answer.cut
    calls = list(by_key.values())
    # a prompt that a content filter refused has no model version
    models = Counter(a.model for a in calls if not (a.refused and not a.tokens_in))
    versions = models.keys() - {UNKNOWN}  # a server that names none sometimes has not changed it
    fingerprints = Counter(answer.fingerprint for answer in calls if answer.fingerprint)
    warnings = Counter(warning for answer in calls for warning in answer.warnings)
    paid = [answer.call for answer in calls if answer.call]
    retries: Counter[str] = Counter()
    for call in paid:
        retries.update(call.retries)
    return {
        "calls": len(calls),
        "by_batch": sum(call.mode == "batch" for call in paid),
        "tokens_in": sum(a.tokens_in for a in calls),
        "tokens_out": sum(a.tokens_out for a in calls),
        "without_token_counts": sum(a.tokens_in == 0 for a in calls),
        "dollars": round(sum(a.price or 0.0 for a in calls), 6),
        "prices": sorted({call.prices for call in paid if call.prices}),
        "call_seconds": round(sum(call.seconds for call in paid), 1),
        "retries": dict(sorted(retries.items())),
        "warnings": dict(sorted(warnings.items())),
        "finish_reasons": dict(sorted(Counter(a.finish_reason for a in calls).items())),
        "refused": sum(a.refused for a in calls),
        "with_thoughts": sum(a.thoughts for a in calls),
        "asked_again_with_more_room": sum(a.cut is not None for a in calls),
        "models": dict(sorted(models.items())),
        "fingerprints": dict(sorted(fingerprints.items())),
        "drift": len(versions) > 1 or len(fingerprints) > 1,
    }
