"""Results as they come, so that a run that is killed computes none of them twice.

One file a worker, a line a batch: {"results": {"17": [[token ids], "stop"]}, "seconds": 1.2}
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Journal:
    """The results of one run, in its scratch folder, by the positions of their prompts."""

    folder: Path

    def append(self, results: Mapping[int, Any], seconds: float, worker: int = 0) -> None:
        """Write the results of a batch to the disk."""
        with (self.folder / f"results-{worker}.jsonl").open("a") as file:
            # on a line of its own: the last one may be torn by a kill
            entry = {"results": results, "seconds": round(seconds, 3)}
            file.write("\n" + json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def results(self) -> dict[int, Any]:
        """Read every result so far."""
        return {
            int(position): result
            for entry in self._entries()
            for position, result in entry["results"].items()
        }

    def seconds(self) -> float:
        """Sum the workers' time."""
        return sum(float(entry["seconds"]) for entry in self._entries())

    def _entries(self) -> Iterator[dict[str, Any]]:
        for file in sorted(self.folder.glob("results-*.jsonl")):
            for line in file.read_text().splitlines():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:  # blank, or torn by a kill: its batch is done again
                    continue
