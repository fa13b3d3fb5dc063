"""A judge's prompt: one text with an instruction, its input and two answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.files import read_text
from alpacare.prompting.distinct import DistinctTexts
from alpacare.prompting.templates import render
from alpacare.prompting.variables import COMPARISON
from alpacare.records.shown_pair import ShownPair

_VARIABLES = ("instruction", "input", "output_1", "output_2")


@dataclass(frozen=True)
class JudgePrompt:
    """The template in `prompt.txt`."""

    path: Path
    text: str

    @classmethod
    def read(cls, folder: Path) -> "JudgePrompt":
        """Read a judge's prompt.

        Raises:
            BadInput: no such file, a variable that is not known, or one that is missing.
        """
        path = folder / "prompt.txt"
        text = read_text(path)
        COMPARISON.check({path: text})
        return cls(path, text)

    def fill(self, pair: ShownPair) -> str:
        """Give the text for one pair in one order.

        Raises:
            BadInput: the template cannot be filled with it.
        """
        values = dict(zip(_VARIABLES, pair.as_shown(), strict=True))
        return render(self.text, values, self.path).strip()

    def fill_all(self, pairs: Iterable[ShownPair]) -> list[str]:
        """Give the text for every pair. Both orders of equal answers give the same.

        Raises:
            BadInput: as `fill`; nothing is asked, or two different tasks give the same text.
        """
        distinct, texts = DistinctTexts(self.path), []
        for pair in pairs:
            texts.append(self.fill(pair))
            distinct.add(pair.model, texts[-1])
        return texts
