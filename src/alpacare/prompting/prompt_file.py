"""A prompt that is one text: the template in a folder's `prompt.txt`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from alpacare.core.files import read_text
from alpacare.prompting.templates import render
from alpacare.prompting.variables import Variables


@dataclass(frozen=True)
class PromptFile:
    """The template, in which `variables` may and must be used."""

    variables: ClassVar[Variables]
    path: Path
    text: str

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder's prompt.

        Raises:
            BadInput: no such file, a variable that is not known, or one that is missing.
        """
        path = folder / "prompt.txt"
        text = read_text(path)
        cls.variables.check({path: text})
        return cls(path, text)

    def render(self, values: Mapping[str, Any]) -> str:
        """Give the text with these values.

        Raises:
            BadInput: the template cannot be filled with them.
        """
        return render(self.text, values, self.path).strip()
