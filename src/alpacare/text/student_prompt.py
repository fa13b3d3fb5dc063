"""The prompt a student is trained with and asked with: one rule for both.

Two text files in Alpaca's form, `with_input.txt` and `without_input.txt`. Training copies them
into the checkpoint and generation reads them from there, so the two can never differ.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from alpacare.errors import BadInput
from alpacare.files import read_text

FILES = ("with_input.txt", "without_input.txt")


@dataclass(frozen=True)
class StudentPrompt:
    """Two templates with the variables {instruction} and {input}."""

    with_input: str
    without_input: str

    @classmethod
    def read(cls, folder: Path) -> "StudentPrompt":
        """Read both templates from a folder; a missing variable is an error."""
        texts = [read_text(folder / name) for name in FILES]
        for name, text in zip(FILES, texts, strict=True):
            for variable in ("instruction", "input")[: 2 if name == "with_input.txt" else 1]:
                if f"{{{variable}}}" not in text:
                    raise BadInput(f"{folder / name}: the variable {{{variable}}} is missing")
        return cls(*texts)

    def fill(self, instruction: str, input: str) -> str:
        """Give the prompt for one task; an empty input takes the template without input."""
        values = {"instruction": instruction, "input": input}
        template = self.with_input if input else self.without_input
        return re.sub(r"\{(instruction|input)\}", lambda match: values[match[1]], template)


def copy_templates(source: Path, target: Path) -> None:
    """Copy the two template files into a new folder `target`."""
    target.mkdir()
    for name in FILES:
        shutil.copyfile(source / name, target / name)
