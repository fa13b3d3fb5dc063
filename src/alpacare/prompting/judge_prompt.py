"""A judge's prompt: one text with four variables, filled in one pass.

Values are not searched for variables: an answer that contains "{output_1}" stays as it is.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.records.shown_pair import ShownPair

VARIABLES = ("instruction", "input", "output_1", "output_2")
_BRACED = re.compile(r"\{([a-z]+(?:_\w+)?)\}")


@dataclass(frozen=True)
class JudgePrompt:
    """The text of `prompt.txt`; braces around anything but a name stay as they are."""

    text: str

    @classmethod
    def read(cls, folder: Path) -> "JudgePrompt":
        """Read a judge's prompt.

        Raises:
            BadInput: no such file, a variable that is not known, or one that is missing.
        """
        path = folder / "prompt.txt"
        text = read_text(path)
        found = set(_BRACED.findall(text))
        known = ", ".join(f"{{{name}}}" for name in VARIABLES)
        for name in sorted(found - set(VARIABLES)):
            raise BadInput(f"{path}: unknown variable {{{name}}}; there are {known}")
        for name in VARIABLES:
            if name not in found:
                raise BadInput(f"{path}: the variable {{{name}}} is missing; there are {known}")
        return cls(text)

    def fill(self, pair: ShownPair) -> str:
        """Give the text for one pair in one order."""
        values = dict(zip(VARIABLES, pair.as_shown(), strict=True))
        return _BRACED.sub(lambda match: values[match[1]], self.text).strip()
