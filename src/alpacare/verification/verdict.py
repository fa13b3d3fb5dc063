"""A verifier's reply read as a pure function of its text."""

import json
import re
from typing import Any

from alpacare.records.answer_check import Finding

# "verdict": "wrong", a line Verdict: wrong, or the verdict is wrong; not a repetition of the
# question, "right" or "wrong", right/wrong, right if
_FINDING = re.compile(
    r"\bverdict(?:\W{1,4}is)?\W{1,8}(right|wrong)\b"
    r"(?!-|[^\w.!?\n]{1,4}if\b|\W{0,4}(?:\bor\b|[/|])\W{0,4}(?:right|wrong)\b)",
    re.IGNORECASE,
)


def read_finding(reply: str) -> tuple[Finding | None, str]:
    """Read the finding, and what is said to be wrong, else the whole reply.

    In doubt, where a reply has no verdict or says both, the finding is None.
    """
    said = {match[1].casefold() for match in _FINDING.finditer(reply)}
    finding: Finding | None = None
    if len(said) == 1:
        finding = "wrong" if "wrong" in said else "right"
    return finding, _error(reply) or " ".join(reply.split())


def _error(reply: str) -> str:
    """Give the text of `error` in a JSON object."""
    start, end = reply.find("{"), reply.rfind("}")
    try:
        value: Any = json.loads(reply[start : end + 1], strict=False)
    except (ValueError, RecursionError):
        return ""
    error = value.get("error") if isinstance(value, dict) else None
    return " ".join(error.split()) if isinstance(error, str) else ""
