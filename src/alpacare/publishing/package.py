"""What is published, before it is: names, and the bytes or the file behind each."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["dataset", "model"]
CARD = "README.md"
SIGNATURE = "Made by `alpacare publish`."  # closes every card: what has none is not ours to replace


@dataclass(frozen=True)
class Package:
    """A data set or a model: its licence, and `files` by name, weights as paths."""

    kind: Kind
    licence: str
    files: Mapping[str, bytes | Path]

    def sizes(self) -> dict[str, int]:
        """Give each file's size in bytes, by name in order."""
        return {
            name: len(file) if isinstance(file, bytes) else file.stat().st_size
            for name, file in sorted(self.files.items())
        }
