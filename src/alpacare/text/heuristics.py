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

from alpacare.settings import Settings
from alpacare.text.tokens import unseen

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
            "instruction_words": lambda instruction, _: _outside(
                settings.instruction_words, instruction
            ),
            "input_words": lambda _, input: _outside(settings.input_words, input),
            "blocked_words": _blocked(settings.blocked_words),
            "starts_with_punctuation": lambda instruction, _: _match(_MARKS, instruction),
            "not_english": lambda instruction, _: _foreign(instruction),
            "empty_input": _missing,
            "unfinished_input": lambda _, input: _unfinished(input.strip()),
            "input_equals_instruction": _repeated,
            "same_as_seed": lambda instruction, _: known.get(_plain(instruction)),
            "answer_leaked": lambda instruction, input: _match(_ANSWER, f"{instruction}\n{input}"),
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
el los las una que del por con como cuál cuáles qué cómo está están este esta según su sus
o uma das não são você seu sua qual quais pelo pela ao à é em
le les des du une est sont dans avec sur quels quelles quel quelle vous votre cette
il lo gli della delle dei nel che è sono quali quale di
der das den dem ein eine einen einer eines und ist sind nicht mit zu für auf bei wie welche
het een van voor niet zijn welke deze wordt
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
describe discuss write give provide list summarize identify answer translate english
"""
_OTHER_WORDS, _ENGLISH_WORDS = frozenset(_OTHER.split()), frozenset(_ENGLISH.split())


def _foreign(instruction: str) -> str | None:
    """Find a script other than Latin, or other languages' common words and hardly any English."""
    if not instruction.isascii() and unseen(instruction):
        return instruction.strip()[:40]
    words = instruction.split()
    other = _OTHER_WORDS.intersection(words)
    if len(other) < 2:
        return None
    english = sum(word.strip(_EDGES).lower() in _ENGLISH_WORDS for word in words)
    if sum(word in other for word in words) <= 3 * english:
        return None
    return ", ".join(sorted(other, key=words.index))


_TEXT = (
    "(?:notes?|passages?|paragraphs?|reports?|letters?|texts?|abstract|articles?|messages?|emails?"
    "|transcript|dialogue|conversation|exchange|excerpts?|extract|vignettes?|case|scenario|story"
    "|summary|statements?|sentences?|descriptions?|explanation|lists?|tables?|chart|records?|paper"
    "|options|choices|questions?|document|leaflet|prescription|input|facts|details|situation"
    "|data|results?|findings|readings|symptoms|images?|x-ray|scan|ecg|figure)"
)
_WORK = (
    "(?:classify|sort|group|label|categori[sz]e|condense|shorten|summari[sz]e|rewrite|recast|reword"
    "|rephrase|simplify|translate|interpret|read|based on|considering|using|from)"
)
_EPITHETS = r"(?:(?!(?:and|or|of|in|on|to|for|with|by)\b)[\w'’/-]+\s+){0,3}?"
_POINTER = re.compile(
    rf"""\b(?:
    the\ following\b(?!\ (?:day|week|month|year|morning|evening|night))
    | the\ (?:given|provided)\ (?!time|day|dose|rate)\w+
    | (?:the|this|these|from|on|using|to)\ (?:given|provided|attached|enclosed|presented)
      \ {_EPITHETS}{_TEXT}\b
    | th(?:is|ese)\ {_EPITHETS}{_TEXT}\b
    | {_WORK}\ (?:these|the\ vignette)\b
    | \w+(?<!\band)(?<!\bor)(?<!\bfrom)\ (?:below|above)(?=[.,;?!)]|$|\ (?:into|as|to|so|without)\b)
    | {_TEXT}\ that\ follows?\b
    | (?:given|described|shown)\ here\b
    | the\ input\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_POINTING = frozenset(
    "following follows follow given provided attached enclosed presented this these below above"
    " input here vignette".split()
)
# A quotation, a line break, a colon or a dash: the instruction brings the material itself.
_OWN_MATERIAL = re.compile(r"[\"“”«»\n]|[:–—]\s*\S| - |\([^()]*,")
_STOP = re.compile(r"[.?!]\s")


def _missing(instruction: str, input: str) -> str | None:
    """Find words that point to material, if there is none in the input nor around them."""
    words = map(str.lower, re.findall("[A-Za-z]+", instruction))
    if input.strip() or _POINTING.isdisjoint(words) or _OWN_MATERIAL.search(instruction):
        return None  # quick, for most rows
    pointer = _POINTER.search(instruction)
    if not pointer or len(instruction[: pointer.start()].split()) >= 12:
        return None
    stops = [stop.end() for stop in _STOP.finditer(instruction)]
    before = max((stop for stop in stops if stop <= pointer.start()), default=0)
    after = min((stop for stop in stops if stop >= pointer.end()), default=len(instruction))
    if len(instruction[:before].split()) >= 6 or len(instruction[after:].split()) >= 15:
        return None  # other sentences tell the case
    return pointer.group()


_PLACEHOLDER = re.compile(
    r"[\[<{(][^\[\]<>{}()]*[\]>})]\.?|[.?_\-*\s]+|n/?a|nan|none|null|tbd|no input.{0,15}|lorem .*"
    r"|not (?:applicable|provided|available|needed|required)\.?|see (?:above|below|attached)\b.*",
    re.IGNORECASE,
)
_INSERT = re.compile(r"[\[<{(]\s*(?:please )?(?:insert|paste)\b[^\[\]<>{}()]*.?", re.IGNORECASE)
_SPEAKER = re.compile(r"(?:^|\n)[^\n]{1,30}:$")
_NEVER_LAST = frozenset(
    "the an and or of from with into because although while whereas whether than which whose their"
    " your my our its was were - – —".split()
)


def _unfinished(input: str) -> str | None:
    """Find a placeholder, or an end in mid-sentence; a speaker's name may wait for the answer."""
    if len(input) < 80 and _PLACEHOLDER.fullmatch(input):
        return input
    inserted = _INSERT.search(input)
    if inserted:
        return inserted.group()
    last = " ".join(input[-60:].split()[-3:])
    open_end = last.endswith((",", ";", "(", "[", "...", "…")) or last.split()[-1:] 
    return last if open_end else None


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


_ANSWER = re.compile(
    r"""(?:^|(?<=[.?!;)]))[ \t*]*(?:the[ ])?(?:
    (?:(?:correct|right|best|final)[ ])?(?:answer|option|choice)(?:[ ]is)?[ \t*]*[:=]?[ \t*]*
    \(?[A-H](?:[).]|[ \t*]*$|[ ]because)
    | (?:correct|right)[ ](?:answer|option|choice)[ ]*:[ \t*]*\w.*
    | \(?[A-H][).].*\((?:correct|right)(?:[ ](?:answer|option|choice))?\)
    )""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
