"""A judge that names its choice: its labels, and what a reply decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, Self

from pydantic import model_validator

from alpacare.core.settings import Settings
from alpacare.judging.verdicts.doubts import TAKEN_BACK, is_misled, is_turned
from alpacare.judging.verdicts.mentions import Spelling, spelling_of
from alpacare.judging.verdicts.own_words import QUOTED, Sentence, plain, sentences
from alpacare.judging.verdicts.statements import (
    FINAL,
    Decision,
    can_state,
    in_label,
    in_marks,
    in_opening,
    in_statement,
    in_verdict,
    last_name,
    settle,
)
from alpacare.records.judgment import Slot

_FLAT = str.maketrans("", "", '*_`#"“”')
_AROUND = " .,:;!?"
_QUOTES = "\"'`“«「>~"  # what opens a quotation
_CLOSES = f"\"')]*_ {QUOTED}"  # what may stand behind the end mark of a sentence
_CONTEXT = 3  # words before a bare label that show it to be repeated with them
# how a line begins that speaks of one answer
_HEADING = re.compile(r"\W*([FSXY])(?: ?[:(–-]|\W*\Z)")  # noqa: RUF001


class Labels(Settings):
    """What a judge is told to reply, such as "Output (a)", "Output (b)" or "Tie".

    Labels in doubled brackets, as "[[A]]", count by themselves or where words make them a verdict.
    `tie` is null where the judge must choose.
    """

    form: Literal["labels"]
    first: str
    second: str
    tie: str | None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        labels = [label for label in (self.first, self.second, self.tie) if label is not None]
        if not all(any(letter.isalnum() for letter in label) for label in labels):
            raise ValueError(f"each label needs a letter or digit, found {labels}")
        if not all(any(letter.isalnum() for letter in plain(label)) for label in labels):
            raise ValueError(f"a label that looks like markup cannot be read, found {labels}")
        if len({" ".join(label.split()).casefold() for label in labels}) < len(labels):
            raise ValueError(f"labels must differ, found {labels}")
        slots: tuple[Slot, ...] = ("first", "second", "tie")
        for label, slot in zip(labels, slots, strict=False):
            replies = (label, f"Verdict: {label}", f"I compare them.\n\n{label}")
            if {read_label(reply, self) for reply in replies} != {slot}:
                raise ValueError(f"a reply of {label!r} could not be read: choose another label")
        return self


@dataclass(frozen=True)
class _Reply:
    """A reply's sentences, as they stand and over symbols; `quoted` labels were taken in too.

    `cut` if the last sentence may go on.
    """

    said: Sequence[Sentence]
    lines: Sequence[str]
    marked: bool
    quoted: bool
    cut: bool

    def decisions(self) -> list[tuple[Sentence, list[Decision]]]:
        """Find the sentences that decide; behind one that takes back, only a verdict does."""
        read = self._marks if self.marked and self._holds("FST") else self._words
        decided: list[tuple[Sentence, list[Decision]]] = []
        least = 0
        for place, sentence in enumerate(self.said):
            found = read(place) if can_state(self.lines[place]) else []
            if decided and TAKEN_BACK.search(self.lines[place]):
                decided, least, found = [], FINAL, []
            elif found and (back := TAKEN_BACK.search(self.lines[place])) and back.start():
                least, found = FINAL, []
            found = [each for each in found if each.weight >= least]
            if found and (found[0].bare or not self._breaks_off(place)):
                decided.append((sentence, found))
        return decided

    def _breaks_off(self, place: int) -> bool:
        ended = self.lines[place].rstrip(_CLOSES).endswith((*".!?;。",))
        return self.cut and place == len(self.said) - 1 and not ended

    def _marks(self, place: int) -> list[Decision]:
        if self.quoted:  # a label that is quoted needs words that make it a verdict
            return in_verdict(self.lines[place], short=False)
        found = in_marks(self.lines[place], self._at_edge(place), self.said[place].alone)
        return [] if found and found[0].bare and is_misled(self.said[place].before) else found

    def _words(self, place: int) -> list[Decision]:
        line = self.lines[place]
        found = in_verdict(line, self._may_be_short(place))
        if not found and not self.quoted and self._stands_alone(place):
            found = in_label(line)
        below = self.lines[place + 1] if place + 1 < len(self.lines) else ""
        if not found and not self.marked:
            found = in_statement(line, not self._holds_label, self._last_name > place)
            found = [] if found and is_turned(line, below) else found
            if not found and self._naming <= {place}:
                found = in_opening(line)
        return found

    @cached_property
    def _last_name(self) -> int:
        """The last sentence that speaks of one answer, not of the pair."""
        places = range(len(self.lines) - 1, -1, -1)
        return next((place for place in places if last_name(self.lines[place]) >= 0), -1)

    def _may_be_short(self, place: int) -> bool:
        """Say whether "A" can be a label there: it may be the answer to a quiz.

        It is a label if the reply names nothing else, or ends in a line that is nothing else.
        """
        last = place == len(self.said) - 1 and self.said[place].alone
        return last or self._naming <= {place}

    def _at_edge(self, place: int) -> bool:
        return place in (0, len(self.said) - 1)

    def _stands_alone(self, place: int) -> bool:
        """Say whether a label there is a verdict; a short one ends no unfinished sentence."""
        before = self.said[place].before
        if not self._at_edge(place) or is_misled(before):
            return False
        if {*"XYZ"} & {*self.lines[place]}:
            ends = before and before[-1] not in ".!?:;)"
            return not ends and self._may_be_short(place)
        return not self._is_heading(place)

    def _holds(self, symbols: str) -> bool:
        return any(symbol in line for line in self.lines for symbol in symbols)

    @cached_property
    def _holds_label(self) -> bool:
        return self._holds("FS")

    @cached_property
    def _naming(self) -> set[int]:
        """The sentences that name anything."""
        return {at for at, line in enumerate(self.lines) if not {*"FSTXYZ"}.isdisjoint(line)}

    def _is_heading(self, place: int) -> bool:
        """Say whether a label opens what is said of that answer: the other has its heading too.

        A reply that ends in a label is another thing: its first and its last must agree.
        """
        if in_label(self.lines[-1]):
            return False
        found = (_HEADING.match(line) for line in self.lines[place:])
        own, *below = [match[1] for match in found if match] or [""]
        return bool(below) and own not in below


def read_label(
    reply: str, form: Labels, judged: Sequence[str] = (), *, cut: bool = False
) -> Slot | None:
    """Read which label a reply decides for; None if none, or if it contradicts itself."""
    text = plain(reply)
    spelling = spelling_of(form.first, form.second, form.tie)
    if symbol := spelling.only_label(text):
        slot = settle([Decision.of(symbol)])
    else:
        slot = settle(_decisions(text, spelling, judged, cut))
    return None if slot == "tie" and form.tie is None else slot


def _decisions(text: str, spelling: Spelling, judged: Sequence[str], cut: bool) -> list[Decision]:
    """Find what the judge decides; labels that it put in quotes count where nothing else does."""
    shown = ""
    for quoted in (False, True) if {*_QUOTES} & {*text} else (False,):
        said = sentences(text, lambda part: bool(spelling.only_label(part)), keep_quoted=quoted)
        lines = [spelling.symbols(sentence.text) for sentence in said]
        found = list(_Reply(said, lines, spelling.marked, quoted, cut).decisions())
        if found and judged:
            shown = shown or "\n".join(map(_flat, judged))
        own = [each for sentence, each in found if not _is_shown(sentence, each, shown)]
        if own:
            return [decision for decisions in own for decision in decisions]
    return []


def _is_shown(sentence: Sentence, found: Sequence[Decision], shown: str) -> bool:
    """Say whether the judge repeats what it was shown, rather than decides.

    A label by itself is its own, unless it repeats the words before it too.
    """
    if not found[0].bare:
        return _flat(sentence.text) in shown
    context = _flat(" ".join([*sentence.before.split()[-_CONTEXT:], sentence.text]))
    return len(sentence.before.split()) > 1 and context in shown


@lru_cache(maxsize=1024)  # the same answers are shown in both orders, and to many
def _flat(text: str) -> str:
    return " ".join(plain(text).translate(_FLAT).casefold().split()).strip(_AROUND)
