"""The Markdown page of flipped items: all texts and verdicts, escaped so that none is markup."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.files import atomic_file
from alpacare.core.texts import escape_controls
from alpacare.display.html import open_templates
from alpacare.evaluation.items import Preferences
from alpacare.evaluation.paired_comparison import Flip, flips
from alpacare.evaluation.score import Cell
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment

AnswersById = Mapping[str, Generation]


@dataclass(frozen=True)
class CellVersion:
    """One version of a cell; without answers where their file is in no cache and no remote."""

    judgments: Sequence[Judgment]
    generations: AnswersById
    reference: AnswersById


@dataclass(frozen=True)
class ComparedCell:
    """One cell in both versions; `retrained`: its answers are those of another checkpoint now."""

    cell: Cell
    then: CellVersion
    now: CellVersion
    preferences: tuple[Preferences, Preferences]  # then and now
    other_changes: list[str]  # files that changed besides the model
    retrained: bool

    def flips(self) -> list[Flip]:
        """List the items whose outcome changed."""
        return flips(*self.preferences)

    def task(self, id: str) -> Generation | None:
        """Give a row with the item's instruction and input, if either version has one."""
        return self.now.generations.get(id) or self.then.generations.get(id)


def count_directions(flips: Sequence[Flip]) -> str:
    """Count flips by direction: "3 loss to win, 1 win to tie"."""
    counts = Counter(f"{flip.then} to {flip.now}" for flip in flips)
    return ", ".join(f"{count} {direction}" for direction, count in counts.most_common())


def write_page(page: Path, rev: str, compared: Sequence[ComparedCell]) -> None:
    """Write the flipped items of each cell."""
    templates = open_templates(Path(__file__).parent / "templates").overlay(autoescape=False)
    template = templates.get_template("flips.md")
    functions = {"count_directions": count_directions, "fence": fence}
    with atomic_file(page) as file:
        file.write(template.render(rev=rev, cells=compared, **functions))


def fence(text: str) -> str:
    """Fence a text with more backticks than it has in a row."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{escape_controls(text)}\n{fence}"
