"""Finds keys that must not be published: by their form, or as values of this environment."""

import re
from collections.abc import Iterable
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text
from alpacare.core.keys import FORMS, environment_secrets


def refuse_secrets(files: Iterable[Path]) -> None:
    """Search text files for keys.

    Raises:
        BadInput: one holds a key; the message says where and of what kind, never the key.
    """
    values = {kind: re.escape(value) for kind, value in environment_secrets()}
    forms = {kind: re.compile(form) for kind, form in {**FORMS, **values}.items()}
    for path in files:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                for kind, form in forms.items():
                    if form.search(line):
                        raise BadInput(
                            f"{path}:{number}: holds {kind}; remove it at its source, and "
                            "have the key replaced"
                        )
