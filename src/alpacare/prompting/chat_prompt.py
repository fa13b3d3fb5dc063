"""The prompt of a chat model: a folder with `system.txt` and `user.txt`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alpacare.core.files import read_text
from alpacare.prompting.templates import render
from alpacare.prompting.variables import Variables


@dataclass(frozen=True)
class ChatPrompt:
    """Two templates, of which one may have no variables; `system.txt` may be empty."""

    folder: Path
    texts: Mapping[str, str]  # by role

    @classmethod
    def read(cls, folder: Path, variables: Variables) -> "ChatPrompt":
        """Read a prompt that may use these variables.

        Raises:
            BadInput: a file is missing, or as `Variables.check`.
        """
        texts = {role: read_text(folder / f"{role}.txt") for role in ("system", "user")}
        variables.check({folder / f"{role}.txt": text for role, text in texts.items()})
        return cls(folder, texts)

    def fill(self, values: Mapping[str, Any]) -> list[dict[str, str]]:
        """Give the chat messages for these values.

        Raises:
            BadInput: the template cannot be filled with them.
        """
        return [
            {"role": role, "content": render(text, values, self.folder / f"{role}.txt").strip()}
            for role, text in self.texts.items()
        ]
