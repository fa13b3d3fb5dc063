"""A package to publish: the names of its files, and their content."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["dataset", "model"]
CARD = "README.md"
SIGNATURE = "Made by `alpacare publish`."  # ends every card: a folder without it is not replaced


@dataclass(frozen=True)
class Package:
    """A dataset or a model: its licence, and `files` by name, weights as paths."""

    kind: Kind
    licence: str
    files: Mapping[str, bytes | Path]

    def sizes(self) -> dict[str, int]:
        """Give each file's size in bytes, by name in order."""
        return {
            name: len(file) if isinstance(file, bytes) else file.stat().st_size
            for name, file in sorted(self.files.items())
        }
