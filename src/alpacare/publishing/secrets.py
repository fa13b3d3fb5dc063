"""Finds keys that must not be published: by their form, or as values of this environment."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text
from alpacare.core.keys import FORMS

_NAMES = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST = 12  # shorter values of such variables occur in ordinary text


def refuse_secrets(files: Iterable[Path]) -> None:
    """Search text files for keys.

    Raises:
        BadInput: one holds a key; the message says where and of what kind, never the key.
    """
    forms = {kind: re.compile(form) for kind, form in {**FORMS, **dict(_values())}.items()}
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
