"""Named heuristics for poor generated tasks, each off by default.

They were tuned on English medical tasks written by people, which they should almost never drop: a
filter that drops good rows of one kind (radiology, patients' messages, short notes) biases the
model. So `blocked_words` is empty by default: Alpaca's list ("image", "graph", "map", "draw",
"file"...) means what a text model cannot do, but in medicine it also drops imaging reports,
electrocardiograms and blood that is drawn.
"""

# ruff: noqa: RUF001  (marks that are not ASCII are meant)
import re
from collections.abc import Callable, Iterable

from alpacare.core.texts import comparable, counted
from alpacare.filtering.input_completeness import missing_input, unfinished_input
from alpacare.filtering.settings import HeuristicSettings
from alpacare.filtering.tokens import mostly_unseen

Check = Callable[[str, str], str | None]  # (instruction, input) -> the proof, if it applies
HEURISTICS = tuple(HeuristicSettings.model_fields)


class HeuristicFilter:
    """The heuristics that are switched on."""

    def __init__(self, settings: HeuristicSettings, seeds: Iterable[tuple[str, str]] = ()) -> None:
        """Prepare the checks; `seeds` are pairs of id and instruction, for `same_as_seed`."""
        # of equal instructions the first one counts
        known = {_normalised(instruction): seed for seed, instruction in reversed([*seeds])}
        checks: dict[str, Check] = {
            "instruction_words": lambda text, _: _outside_limits(settings.instruction_words, text),
            "input_words": lambda _, text: _outside_limits(settings.input_words, text),
            "blocked_words": _blocked(settings.blocked_words),
            "starts_with_punctuation": lambda text, _: _match(_MARKS, text),
            "not_english": lambda text, _: _other_language(text),
            "empty_input": missing_input,
            "unfinished_input": lambda task, text: unfinished_input(task, text.strip()),
            "input_equals_instruction": _same_text,
            "same_as_seed": lambda text, _: known.get(_normalised(text)),
            "answer_leaked": _leaked_answer,
        }
        self._checks = [(name, checks[name]) for name in HEURISTICS if getattr(settings, name)]

    def drop_reason(
        self, instruction: str, input: str, repeated: bool = False
    ) -> tuple[str, str] | None:
        """Give the first heuristic that applies, in the order of `HEURISTICS`, and its proof.

        The proof is the words concerned, or their number, or the seed's id. None if none applies.
        `repeated`: many rows have this instruction, so that a seed with it proves nothing.
        """
        for name, check in self._checks:
            if repeated and name == "same_as_seed":
                continue
            if (proof := check(instruction, input)) is not None:
                return name, proof
        return None


def _match(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return " ".join(found.group().split()) if found else None


def _outside_limits(limits: tuple[int, int] | None, text: str) -> str | None:
    words = len(text.split())
    inside = limits is None or words == 0 or limits[0] <= words <= limits[1]
    return None if inside else counted(words, "word")


def _blocked(words: list[str]) -> Check:
    phrases = [r"\s+".join(map(re.escape, word.split())) for word in words]
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)
    return lambda instruction, _: _match(pattern, instruction)


# An instruction may start with a quotation mark, a bracket or a number (.5 mg).
_MARKS = re.compile(r"^\s*(?:[.\-+](?!\d)|[!%&)*,/:;=?@\\\]^_`|}~…–—•·、。，！？；：）])+")

# Words frequent in one language and rare in English, medical Latin and names. Only in lower case,
# since AF, MI and Na are abbreviations.
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


def _other_language(instruction: str) -> str | None:
    """Find a script other than Latin, or common words of other languages with few English ones."""
    if not instruction.isascii() and mostly_unseen(instruction):
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


def _same_text(instruction: str, input: str) -> str | None:
    one, other = _LETTER.search(instruction), _LETTER.search(input)
    if not one or not other or one.group().casefold() != other.group().casefold():
        return None  # a quick test that settles most rows
    same = _GAPS.sub("", instruction).casefold() == _GAPS.sub("", input).casefold()
    return input.strip() if same else None


def _normalised(text: str) -> str:
    return " ".join(comparable(text.casefold()).split())


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


# The task is about an answer, which must then be told.
_ABOUT_ANSWER = re.compile(
    r"\b(?:why|whether|check|grade|mark|justify|judge|verify|evaluate|assess|given answer)\b",
    re.IGNORECASE,
)


def _leaked_answer(instruction: str, input: str) -> str | None:
    """Find a marked answer: "Answer: B", "Correct answer is C.", "B. Iron (correct)"."""
    text = f"{instruction}\n{input}"
    lower = text.lower()
    if not any(hint in lower for hint in _HINTS):
        return None  # a quick test that settles most rows
    leaked = _match(_ANSWER, text)
    return None if leaked and _ABOUT_ANSWER.search(instruction) else leaked
