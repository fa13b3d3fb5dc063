"""A judge that answers with a label: its labels, and the one that a reply decides for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, Self

from pydantic import model_validator

from alpacare.core.settings import Settings
from alpacare.judging.verdicts.decisions import (
    EXPLICIT,
    MAY_DECIDE,
    SLOTS,
    Decision,
    final_slot,
    last_single_mention,
    read_bare,
    read_bracketed,
    read_labelled,
    read_opening,
    read_statements,
)
from alpacare.judging.verdicts.hedges import RETRACTION, completes_previous, is_qualified_below
from alpacare.judging.verdicts.label_symbols import LabelPattern, label_pattern
from alpacare.judging.verdicts.reply_sentences import (
    QUOTATION,
    Sentence,
    normalise,
    split_sentences,
)
from alpacare.records.judgment import Slot

_NO_MARKUP = str.maketrans("", "", '*_`#"“”')
_PUNCTUATION = " .,:;!?"
_QUOTES = "\"'`“«「>~"  # marks that open a quotation
_CLOSING_MARKS = f"\"')]*_ {QUOTATION}"  # may follow the end mark of a sentence
_CONTEXT_WORDS = 3  # words before a bare label; if they are repeated with it, it is a repetition
# the start of a line about one answer
_HEADING = re.compile(r"\W*([FSXY])(?: ?[:(–-]|\W*\Z)")  # noqa: RUF001


class Labels(Settings):
    """The labels that a judge replies with, such as "Output (a)", "Output (b)" and "Tie".

    Labels in double brackets, as "[[A]]", count by themselves or where words make them a verdict.
    `tie` is null if the judge must choose.
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
        if not all(any(letter.isalnum() for letter in normalise(label)) for label in labels):
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
    """A reply's sentences, as text and as symbols.

    `quoted`: quoted labels are included. `cut`: the last sentence may be incomplete.
    """

    sentences: Sequence[Sentence]
    lines: Sequence[str]
    bracketed: bool
    quoted: bool
    cut: bool

    def decisions(self) -> list[tuple[Sentence, list[Decision]]]:
        """Find the sentences that decide; after a retraction only an explicit verdict does."""
        bracketed = self.bracketed and self._symbols & {*"FST"}
        read = self._read_bracketed if bracketed else self._read_words
        decided: list[tuple[Sentence, list[Decision]]] = []
        least = 0
        for place, sentence in enumerate(self.sentences):
            found = read(place) if MAY_DECIDE.search(self.lines[place]) else []
            retraction = RETRACTION.search(self.lines[place]) if decided or found else None
            if retraction and (decided or retraction.start()):
                decided, least, found = [], EXPLICIT, []
            found = [each for each in found if each.weight >= least]
            if found and (found[0].bare or not self._is_cut_off(place)):
                decided.append((sentence, found))
        return decided

    def _is_cut_off(self, place: int) -> bool:
        ended = self.lines[place].rstrip(_CLOSING_MARKS).endswith((*".!?;。",))
        return self.cut and place == len(self.sentences) - 1 and not ended

    def _read_bracketed(self, place: int) -> list[Decision]:
        if self.quoted:  # a quoted label needs words that make it a verdict
            return read_labelled(self.lines[place], short=False)
        sentence = self.sentences[place]
        found = read_bracketed(self.lines[place], self._at_edge(place), sentence.whole_line)
        return [] if found and found[0].bare and completes_previous(sentence.before) else found

    def _read_words(self, place: int) -> list[Decision]:
        line = self.lines[place]
        found = read_labelled(line, self._allows_short(place))
        if not found and not self.quoted and self._is_bare_verdict(place):
            found = read_bare(line)
        below = self.lines[place + 1] if place + 1 < len(self.lines) else ""
        if not found and not self.bracketed:
            short = not self._symbols & {*"FS"}
            found = read_statements(line, short, self._last_single_mention > place)
            found = [] if found and is_qualified_below(line, below) else found
            if not found and self._with_labels <= {place}:
                found = read_opening(line)
        return found

    @cached_property
    def _last_single_mention(self) -> int:
        """The last sentence that names one answer, not both as a pair."""
        places = range(len(self.lines) - 1, -1, -1)
        return next((place for place in places if last_single_mention(self.lines[place]) >= 0), -1)

    def _allows_short(self, place: int) -> bool:
        """Whether "A" can be a label there: it may be the answer to a quiz.

        It is a label if no other sentence names one, or if it is the whole last line.
        """
        last = place == len(self.sentences) - 1 and self.sentences[place].whole_line
        return last or self._with_labels <= {place}

    def _at_edge(self, place: int) -> bool:
        return place in (0, len(self.sentences) - 1)

    def _is_bare_verdict(self, place: int) -> bool:
        """Whether a bare label there is a verdict; a short one must not end a sentence."""
        before = self.sentences[place].before
        if not self._at_edge(place) or completes_previous(before):
            return False
        if {*"XYZ"} & {*self.lines[place]}:
            ends = before and before[-1] not in ".!?:;)"
            return not ends and self._allows_short(place)
        return not self._is_heading(place)

    @cached_property
    def _symbols(self) -> set[str]:
        return {*"".join(self.lines)}  # with lower-case letters, which are no symbols

    @cached_property
    def _with_labels(self) -> set[int]:
        """The sentences that contain a label."""
        return {at for at, line in enumerate(self.lines) if not {*"FSTXYZ"}.isdisjoint(line)}

    def _is_heading(self, place: int) -> bool:
        """Whether a label is the heading of a part on that answer: the other answer has one too.

        Not in a reply that ends in a label: there the first and the last label must agree.
        """
        if read_bare(self.lines[-1]):
            return False
        found = (_HEADING.match(line) for line in self.lines[place:])
        own, *below = [match[1] for match in found if match] or [""]
        return bool(below) and own not in below


def read_label(
    reply: str, form: Labels, shown_texts: Sequence[str] = (), *, cut: bool = False
) -> Slot | None:
    """Read the label that a reply decides for; None if there is none, or a contradiction."""
    text = normalise(reply)
    pattern = label_pattern(form.first, form.second, form.tie)
    symbol = pattern.only_label(text)
    decisions = [] if symbol else _decisions(text, pattern, shown_texts, cut)
    slot = SLOTS[symbol] if symbol else final_slot(decisions)
    return None if slot == "tie" and form.tie is None else slot


def _decisions(
    text: str, pattern: LabelPattern, shown_texts: Sequence[str], cut: bool
) -> list[Decision]:
    """Find the judge's decisions; quoted labels count only if there are no others."""
    shown = ""
    for quoted in (False, True) if {*_QUOTES} & {*text} else (False,):
        own_sentences = split_sentences(
            text, lambda part: bool(pattern.only_label(part)), keep_quoted=quoted
        )
        lines = [pattern.symbols(sentence.text) for sentence in own_sentences]
        found = list(_Reply(own_sentences, lines, pattern.bracketed, quoted, cut).decisions())
        if found and shown_texts:
            shown = shown or "\n".join(map(_compact, shown_texts))
        own = [each for sentence, each in found if not _repeats_shown_text(sentence, each, shown)]
        if own:
            return [decision for decisions in own for decision in decisions]
    return []


def _repeats_shown_text(sentence: Sentence, found: Sequence[Decision], shown: str) -> bool:
    """Whether the judge repeats a text that it was shown, rather than decides.

    A label by itself is a repetition only if the words before it are repeated too.
    """
    if not found[0].bare:
        return _compact(sentence.text) in shown
    context = _compact(" ".join([*sentence.before.split()[-_CONTEXT_WORDS:], sentence.text]))
    return len(sentence.before.split()) > 1 and context in shown


@lru_cache(maxsize=1024)  # the same answers are shown in both orders, and to several judges
def _compact(text: str) -> str:
    return " ".join(normalise(text).translate(_NO_MARKUP).casefold().split()).strip(_PUNCTUATION)
