"""Labels that are words, such as "Output (a)": they name the answers too, so a sentence decides."""

import re
from dataclasses import dataclass
from functools import cached_property

from alpacare.judging.verdicts.reply_text import (
    QUOTATION,
    compact,
    hide_quotations,
    split_sentences,
)
from alpacare.judging.verdicts.spellings import Spellings
from alpacare.judging.verdicts.statements import (
    EXPLICIT,
    HEADING,
    NEGATIVE,
    RETRACTION,
    SLOTS,
    VERDICT,
    Decision,
    final_slot,
    names_one,
    read_bare,
    read_sentence,
)
from alpacare.records.judgment import Slot

_WORDS = 3  # words before a bare label; if they are repeated with it, it is a repetition
_CLOSING_MARKS = f"\"')]*_ {QUOTATION}"  # may follow the end mark of a sentence
_HEADING = re.compile(r"\W*([FSXY])(?: ?[:(–-]|\W*\Z)")  # noqa: RUF001
_ASKS_FOR_BEST = re.compile(
    rf"\b(?:best|better|prefer\w*|choose|pick|recommend\w*|wins|give)\b|{VERDICT}"
)
_UNFINISHED = re.compile(
    r"\b(?:(?<!verdict )(?<!answer )(?<!choice )(?<!winner )is|are|was|in|of|by|the|from|with|to|"
    r"than|not|and|or|for|on|avoid|an?)\Z"
)
_MAY_DECIDE = re.compile("[FSTXYZ]|equal|tied|neither")  # a sentence without one decides nothing
# a closing label behind words of another language, none of which is known to deny it
_CLOSES = re.compile(r"(?P<before>[^.!?。]{0,60}?\w[^.!?。]*?)(?P<win>[FST])[\s.!。*]*")
_SAYS_MORE = re.compile(
    r"\b(?:the|is|are|in|on|of|to|it|i|we|a|an|who|which|that|would|for|and|not|no|never|if|"
    r"nicht|kein\w*|pas|non|ne|nunca|não|нет|не)\b|[不没沒非]|ない"
)


def read_words(text: str, spellings: Spellings, shown: str, *, cut: bool) -> Slot | None:
    """Read what a reply decides; a quoted label counts where a sentence of the judge has it."""
    kept = hide_quotations(text, lambda inner: bool(spellings.only_label(inner)))
    sentences = split_sentences(kept, HEADING)
    return final_slot(_Reply(sentences, spellings, shown, cut).decisions())


@dataclass(frozen=True)
class _Reply:
    """A reply's sentences; `cut`: the last one may be a part."""

    sentences: list[tuple[str, bool]]
    spellings: Spellings
    shown: str
    cut: bool

    @cached_property
    def lines(self) -> list[str]:
        return [self.spellings.symbols(sentence) for sentence, _ in self.sentences]

    def decisions(self) -> list[Decision]:
        """Find the decisions; after a retraction only an explicit verdict is one."""
        decided: list[Decision] = []
        least, doubtful = 0, self.cut
        for place, line in enumerate(self.lines):
            found = self._read(place) if _MAY_DECIDE.search(line) else []
            retraction = RETRACTION.search(line) if decided or found else None
            if retraction and (decided or retraction.start()):
                decided, least, found, doubtful = [], EXPLICIT, [], True
            found = [each for each in found if each.weight >= least]
            if found and (self._is_cut_off(place, found) or self._repeats(place, found[0].bare)):
                found, doubtful = [], True
            decided += found
        return decided or ([] if doubtful else self._closing_label())

    def _read(self, place: int) -> list[Decision]:
        line, below = self.lines[place], "".join(self.lines[place + 1 : place + 2])
        only = self._with_labels == [place]
        # "A" may be the answer to a quiz, if there are other labels and it is not the whole end
        short = only or (place == len(self.lines) - 1 and self.sentences[place][1])
        if self._may_be_bare(place, short) and (bare := read_bare(line)):
            return bare
        tie = self._last_single <= place
        found = read_sentence(line, below, only=only, short=short, tie=tie)
        return [each for each in found if each.weight == EXPLICIT or not self.spellings.marks]

    @cached_property
    def _with_labels(self) -> list[int]:
        return [at for at, line in enumerate(self.lines) if re.search("[FSTXYZ]", line)]

    @cached_property
    def _last_single(self) -> int:
        """The last sentence that names one answer, not both as a pair."""
        return max((at for at, line in enumerate(self.lines) if names_one(line)), default=-1)

    def _may_be_bare(self, place: int, short: bool) -> bool:
        """Whether a label by itself is a verdict there: at an edge, not about something else."""
        before = self.lines[place - 1] if place else "."
        if place not in (0, len(self.lines) - 1):
            return False
        if before.endswith("?"):
            return bool(_ASKS_FOR_BEST.search(before)) and not NEGATIVE.search(before, 1)
        if re.search("[XYZ]", self.lines[place]):
            return short and before[-1] in ".!:;)"
        return not (_UNFINISHED.search(before) or self._is_heading(place))

    def _is_heading(self, place: int) -> bool:
        """Whether a label heads a part on that answer: the other answer has such a part below."""
        if read_bare(self.lines[-1]):
            return False  # then the first and the last label must agree
        found = (_HEADING.match(line) for line in self.lines[place:])
        own, *below = [match[1] for match in found if match] or [""]
        return bool(below) and own not in below

    def _is_cut_off(self, place: int, found: list[Decision]) -> bool:
        ended = self.lines[place].rstrip(_CLOSING_MARKS).endswith((*".!?;。",))
        return self.cut and place == len(self.lines) - 1 and not ended and not found[0].bare

    def _repeats(self, place: int, bare: bool) -> bool:
        """Whether the judge repeats a text that it was shown, rather than decides."""
        text = self.sentences[place][0]
        if not bare:
            return compact(text) in self.shown
        before = self.sentences[place - 1][0].split() if place else []
        return len(before) > 1 and compact(" ".join([*before[-_WORDS:], text])) in self.shown

    def _closing_label(self) -> list[Decision]:
        """Give the label that ends a reply in another language, the only one in it."""
        match = _CLOSES.fullmatch(self.lines[-1]) if self.lines else None
        kinds = {*re.findall("[FSTXYZ]", "".join(self.lines))}
        told = re.search("[FST]", self.spellings.symbols(self.shown))  # it may be the answer's
        if not match or len(kinds) > 1 or told or self.spellings.marks:
            return []
        return [] if _SAYS_MORE.search(match["before"]) else [Decision(SLOTS[match["win"]], 0)]
