"""How good a verifier is: what it finds of planted errors, and what it says of the same untouched.

Recall is the share of planted errors found, over all planted; precision the share of errors among
what is called wrong, where half of the answers have one. Untouched answers may hold real errors of
the teacher, which count as false alarms here, so precision is a lower bound. Recall is none: who
calls all answers wrong finds all errors. Intervals are Wilson's (1927).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from alpacare.evaluation.bootstrap import share_interval
from alpacare.records.answer_check import AnswerCheck
from alpacare.verification.planted_errors import KINDS

CONFIDENCE = 0.95


def measure_accuracy(checks: Sequence[AnswerCheck]) -> dict[str, Any]:
    """Count findings on the answers, on planted errors, and on these rows untouched."""
    own = [check for check in checks if not check.planted]
    planted = [check for check in checks if check.planted]
    ids = {check.id for check in planted}
    untouched = [check for check in own if check.id in ids]
    found, alarms = _wrong(planted), _wrong(untouched)
    return {
        "answers": _findings(own),
        "planted": _findings(planted)
        | {"found": found, "by_kind": {kind: _kind(planted, kind) for kind in KINDS}},
        "untouched": _findings(untouched),
        "recall": _share(found, len(planted)),
        "false_alarms": _share(alarms, len(untouched)),
        "precision": _share(found, found + alarms),
        "confidence": CONFIDENCE,
    }


def describe_accuracy(told: Mapping[str, Any]) -> str:
    """Say how good a verifier is; "" if no error was planted."""
    planted, untouched = told["planted"], told["untouched"]
    if not planted["n"]:
        return ""
    unreadable, replies = (planted[key] + untouched[key] for key in ("unreadable", "n"))
    left = f"; {unreadable} of {replies} replies unreadable" if unreadable else ""
    return (
        f"of {planted['n']} planted errors {planted['found']} found, recall "
        f"{_percent(told['recall'])}, false alarms {_percent(told['false_alarms'])}; precision "
        f"{_percent(told['precision'])} in a mix of half and half{left}"
    )


def _percent(share: Mapping[str, float | None]) -> str:
    if share["value"] is None:
        return "unknown"
    value, low, high = (f"{100 * (share[key] or 0):.0f}" for key in ("value", "ci_low", "ci_high"))
    return f"{value} % ({low} to {high})"


def _findings(checks: Sequence[AnswerCheck]) -> dict[str, int]:
    counts = {name: sum(check.finding == name for check in checks) for name in ("right", "wrong")}
    return {"n": len(checks), **counts, "unreadable": len(checks) - sum(counts.values())}


def _kind(planted: Iterable[AnswerCheck], kind: str) -> dict[str, int]:
    own = [check for check in planted if check.planted and check.planted.kind == kind]
    return {"n": len(own), "found": _wrong(own)}


def _wrong(checks: Iterable[AnswerCheck]) -> int:
    return sum(check.finding == "wrong" for check in checks)


def _share(part: int, whole: int) -> dict[str, float | int | None]:
    if not whole:
        return {"value": None, "ci_low": None, "ci_high": None, "n": 0}
    low, high = share_interval(part / whole, whole, CONFIDENCE)
    return {
        "value": round(part / whole, 4), "ci_low": round(low, 4), "ci_high": round(high, 4),
        "n": whole,
    }  # fmt: skip
