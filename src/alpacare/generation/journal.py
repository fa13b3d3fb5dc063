"""Answers as they come, so that a run that is killed works out none of them twice.

One file a worker, a line a batch: {"rows": {"17": [[token ids], "stop"]}, "seconds": 1.2}
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Row = tuple[list[int], str]  # new token ids without the end of text, and the finish reason


class Journal:
    """The answers of one run, in its scratch folder, by their prompts' positions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def append(self, worker: int, rows: Mapping[int, Row], seconds: float) -> None:
        """Have the disk hold the answers of a batch."""
        with (self.folder / f"rows-{worker}.jsonl").open("a") as file:
            # a line torn by a kill must not swallow this one
            file.write("\n" + json.dumps({"rows": rows, "seconds": round(seconds, 3)}) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def rows(self) -> dict[int, Row]:
        """Give every answer so far."""
        return {
            int(position): (ids, reason)
            for entry in self._entries()
            for position, (ids, reason) in entry["rows"].items()
        }

    def seconds(self) -> float:
        """Sum the workers' time up."""
        return sum(float(entry["seconds"]) for entry in self._entries())

    def _entries(self) -> Iterator[dict[str, Any]]:
        for file in sorted(self.folder.glob("rows-*.jsonl")):
            for line in file.read_text().splitlines():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:  # blank, or torn by a kill: its batch is done again
                    continue
