"""Signs that a generated task is no good, each with a name, each off until it is switched on.

They were tuned on English medical tasks written by people, where they should hardly ever fire: a
filter that drops good rows of one kind (radiology, patients' messages, terse notes) biases the
model. Hence `blocked_words` is empty: the list used for general instructions (Alpaca's "image",
"graph", "map", "draw", "file"...) marks what a text model cannot do there, but here it hits reports
of imaging, electrocardiograms and blood that is drawn.
"""

# ruff: noqa: RUF001  (marks that are not ASCII are meant)
import re
from collections.abc import Callable, Iterable
from typing import Annotated

from pydantic import Field, field_validator

from alpacare.core.settings import Settings
from alpacare.filtering.input_completeness import missing, unfinished
from alpacare.filtering.tokens import unseen

Range = Annotated[tuple[int, int], Field(strict=False)]  # YAML has lists only
Check = Callable[[str, str], str | None]  # (instruction, input) -> the proof, if it fires


class Heuristics(Settings):
    """Section `filtered.heuristics` of params.yaml: what drops a row; all off by default.

    Lengths count what stands between spaces.
    """

    instruction_words: Range | None = None  # fewest and most
    input_words: Range | None = None  # fewest and most, of an input that is not empty
    blocked_words: list[str] = Field(
        default_factory=list
    )  # whole words or phrases in the instruction, in any case
    starts_with_punctuation: bool = False  # the instruction; quotation marks and brackets may open
    not_english: bool = False  # the instruction; the input may be material in any language
    empty_input: bool = False  # the instruction points to material, and there is none
    unfinished_input: bool = False  # it stops in mid-sentence, or is a placeholder
    input_equals_instruction: bool = False  # but for case, spaces and punctuation
    same_as_seed: bool = False  # the instruction is a seed's, but for case and spaces
    answer_leaked: bool = False  # instruction or input give the answer away: "Answer: B"

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


NAMES = tuple(Heuristics.model_fields)


class Screen:
    """The heuristics that are switched on, ready for many rows."""

    def __init__(self, settings: Heuristics, seeds: Iterable[tuple[str, str]] = ()) -> None:
        """Prepare the checks; `seeds` are pairs of id and instruction, for `same_as_seed`."""
        known: dict[str, str] = {}
        for seed, instruction in seeds:
            known.setdefault(_plain(instruction), seed)
        checks: dict[str, Check] = {
            "instruction_words": lambda text, _: _outside(settings.instruction_words, text),
            "input_words": lambda _, text: _outside(settings.input_words, text),
            "blocked_words": _blocked(settings.blocked_words),
            "starts_with_punctuation": lambda text, _: _match(_MARKS, text),
            "not_english": lambda text, _: _foreign(text),
            "empty_input": missing,
            "unfinished_input": lambda _, text: unfinished(text.strip()),
            "input_equals_instruction": _repeated,
            "same_as_seed": lambda text, _: known.get(_plain(text)),
            "answer_leaked": _leaked,
        }
        self._checks = [(name, checks[name]) for name in NAMES if getattr(settings, name)]

    def reason(self, instruction: str, input: str) -> tuple[str, str] | None:
        """Give the first heuristic that fires, in the order of `NAMES`, and its proof.

        The proof is the words concerned, or their number, or the seed's id. None: the row may stay.
        """
        for name, check in self._checks:
            proof = check(instruction, input)
            if proof is not None:
                return name, proof
        return None


def _match(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return " ".join(found.group().split()) if found else None


def _outside(limits: tuple[int, int] | None, text: str) -> str | None:
    words = len(text.split())
    inside = limits is None or words == 0 or limits[0] <= words <= limits[1]
    return None if inside else f"{words} words"


def _blocked(words: list[str]) -> Check:
    phrases = [r"\s+".join(map(re.escape, word.split())) for word in words]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)
    return lambda instruction, _: _match(pattern, instruction)


# What opens a quotation, a bracket or a number (.5 mg) may open an instruction.
_MARKS = re.compile(r"^\s*(?:[.\-+](?!\d)|[!%&)*,/:;=?@\\\]^_`|}~…–—•·、。，！？；：）])+")

# Words frequent in one language and hardly met in English, medical Latin and names included, all
# in lower case: AF, MI and Na are abbreviations.
_OTHER = """
de el los las una que del por con como cuál cuáles qué cómo está están este esta según su sus
o os uma da das não são você seu sua qual quais pelo pela ao à é em
le les des du une est sont dans avec sur quels quelles quel quelle vous votre cette
il lo gli della delle dei nel che è sono quali quale di
der das dem ein eine einen einem einer eines und ist sind nicht mit zu für auf bei wie welche
het een voor niet zijn welke deze wordt
och att är som för inte hur vilka på og af hvad hvilke hvordan
nie jest się jakie czy dla oraz je jak jaké která kako koji što
bir ve için ile nedir nasıl bu olan hangi
yang dan untuk dengan adalah pada dari bagaimana ini
và của là có những các cho được trong
și sunt pentru din ja mikä mitä miten és az egy hogy
"""
_ENGLISH = """
the and of to with for that this these those which what why how when from are be by you your his
her their its have has would could should does if not or between following patient explain
describe discuss write give provide list summarize identify answer compare define name calculate
interpret classify translate english
"""
_OTHER_WORDS, _ENGLISH_WORDS = frozenset(_OTHER.split()), frozenset(_ENGLISH.split())


def _foreign(instruction: str) -> str | None:
    """Find a script other than Latin, or other languages' common words and hardly any English."""
    if not instruction.isascii() and unseen(instruction):
        return instruction.strip()[:40].rstrip()
    words = instruction.split()
    other = _OTHER_WORDS.intersection(words)
    if len(other) < 2:
        return None
    english = sum(word.strip(".,:;?!").lower() in _ENGLISH_WORDS for word in words)
    if sum(word in other for word in words) <= 3 * english:
        return None
    return ", ".join(sorted(other, key=words.index))


_GAPS = re.compile(r"[\W_]+")
_LETTER = re.compile(r"[^\W_]")


def _repeated(instruction: str, input: str) -> str | None:
    one, other = _LETTER.search(instruction), _LETTER.search(input)
    if not one or not other or one.group().casefold() != other.group().casefold():
        return None  # most rows: quick
    same = _GAPS.sub("", instruction).casefold() == _GAPS.sub("", input).casefold()
    return input.strip() if same else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


_HINTS = "answer", "option", "choice", "(correct", "(right"
_ANSWER = re.compile(
    r"""(?:^|(?<=[.?!;)]))[ \t*]*(?:the[ ])?(?:
    (?:(?:correct|right|best|final)[ ](?:answer|option|choice)|answer)(?:[ ]is|[ ]?[:=])[ \t*]*
    \(?[A-H](?:[).]|[ \t*]*$|[ ]because)
    | (?:correct|right)[ ](?:answer|option|choice)[ ]?:[ \t*]*\w.*
    | \(?[A-H][).].*\((?:correct|right)(?:[ ](?:answer|option|choice))?\)
    )""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)


def _leaked(instruction: str, input: str) -> str | None:
    """Find an answer given as such: "Answer: B", "Correct answer is C.", "B. Iron (correct)"."""
    text = f"{instruction}\n{input}"
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return None  # quick, for most rows
    return _match(_ANSWER, text)
