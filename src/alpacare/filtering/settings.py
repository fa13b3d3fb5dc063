"""Sections `filtered` and `student_rows` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from alpacare.core.settings import Settings

Range = Annotated[tuple[int, int], Field(strict=False)]  # YAML has lists only


class HeuristicSettings(Settings):
    """Section `filtered.heuristics`: what drops a row; all off by default.

    Lengths are numbers of words between spaces.
    """

    instruction_words: Range | None = None  # fewest and most
    input_words: Range | None = None  # fewest and most, of an input that is not empty
    # whole words or phrases in the instruction, in any case
    blocked_words: list[str] = Field(default=[])
    starts_with_punctuation: bool = False  # the instruction; quotation marks and brackets may open
    not_english: bool = False  # the instruction; the input may be in any language
    empty_input: bool = False  # the instruction refers to an input, and there is none
    unfinished_input: bool = False  # it is only a placeholder
    input_equals_instruction: bool = False  # but for case, spaces and punctuation
    same_as_seed: bool = False  # the instruction is a seed's, but for case and spaces
    answer_leaked: bool = False  # instruction or input contain the answer: "Answer: B"

    @field_validator("instruction_words", "input_words")
    @classmethod
    def _in_order(cls, limits: tuple[int, int] | None) -> tuple[int, int] | None:
        if limits and not 0 <= limits[0] <= limits[1]:
            raise ValueError(f"expected fewest and most words, as [3, 150], found {list(limits)}")
        return limits

    @field_validator("blocked_words")
    @classmethod
    def _not_blank(cls, words: list[str]) -> list[str]:
        if not all(word.strip() for word in words):
            raise ValueError("a blocked word is empty, which would block everything")
        return words


class ContaminationSettings(Settings):
    """Section `student_rows`, and part of `filtered`: what is compared, and when a row goes."""

    compare: Literal["auto", "instruction", "task", "input"] = "auto"
    tokenizer: Literal["auto", "latin", "unicode"] = "auto"
    contamination: Literal["fail", "drop", "report"] = "drop"
    contamination_rouge_l: float = Field(default=0.7, ge=0, le=1)
    contamination_words: int | None = Field(default=13, gt=0)


class FilteredSettings(ContaminationSettings):
    """Section `filtered`: only `rouge_l` and `keep` are required, since others script this stage.

    Seeds and test sets are compared with if they are given.
    """

    rouge_l: float = Field(ge=0, le=1)
    keep: Literal["first", "none"]
    against_seeds: bool = True
    heuristics: HeuristicSettings = HeuristicSettings()
    engine: Literal["local", "ray"] = "local"
