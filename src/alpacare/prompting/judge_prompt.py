"""A judge's prompt: one text with an instruction, its input and two answers."""

from collections.abc import Iterable

from alpacare.prompting.distinct import DistinctTexts
from alpacare.prompting.prompt_file import PromptFile
from alpacare.prompting.variables import COMPARISON
from alpacare.records.shown_pair import ShownPair

_VARIABLES = ("instruction", "input", "output_1", "output_2")


class JudgePrompt(PromptFile):
    """The template of a judge that compares."""

    variables = COMPARISON

    def fill(self, pair: ShownPair) -> str:
        """Give the text for one pair in one order.

        Raises:
            BadInput: the template cannot be filled with it.
        """
        return self.render(dict(zip(_VARIABLES, pair.as_shown(), strict=True)))

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
