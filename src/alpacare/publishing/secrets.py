"""Finds keys that must not be published: by their form, or as values of this environment."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text

_FORMS = {
    "a key for a model vendor (sk-...)": r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,}",
    "a Hugging Face token (hf_...)": r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}",
    "an AWS key id (AKIA...)": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a Google key (AIza...)": r"\bAIza[A-Za-z0-9_-]{35}",
    "a GitHub token (ghp_...)": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22,})",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST = 12  # shorter values of such variables occur in ordinary text


def refuse_secrets(files: Iterable[Path]) -> None:
    """Search text files for keys.

    Raises:
        BadInput: one holds a key; the message says where and of what kind, never the key.
    """
    forms = {kind: re.compile(form) for kind, form in {**_FORMS, **dict(_values())}.items()}
    for path in files:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                for kind, form in forms.items():
                    if form.search(line):
                        raise BadInput(
                            f"{path}:{number}: holds {kind}; remove it at its source, and "
                            "have the key replaced"
                        )


def _values() -> Iterator[tuple[str, str]]:
    for name, value in os.environ.items():
        if _NAMES.search(name) and len(value) >= _SHORTEST:
            yield f"the value of ${name}", re.escape(value)
