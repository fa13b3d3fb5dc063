"""Splitting texts into tokens, and tokens into numbers.

`latin` is rouge_score's default: the published numbers rest on it, and it sees nothing but a-z and
0-9. `unicode` reads every script, and agrees with `latin` on ASCII text. `auto` takes for each text
the one that it needs.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpacare.filtering.join_rows import Ints

Tokenizer = Callable[[str], list[str]]

_LATIN = re.compile("[a-z0-9]+")
# Scripts written without spaces between words, as ranges of a regular expression: Thai, Lao,
# Tibetan, Myanmar, Khmer; kana, bopomofo, Chinese characters.
UNSPACED = (
    "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_HAS_UNSPACED = re.compile(f"[{UNSPACED}]")
_RUNS = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")


def latin(text: str) -> list[str]:
    """Split a text as rouge_score does without stemming: lower case, then runs of a-z and 0-9."""
    return _LATIN.findall(text.lower())


def unicode(text: str) -> list[str]:
    """Split a text into lower-case words of any script; where words are not spaced, into pairs.

    Letters, digits and their marks make words. A run of characters without spaces between words
    gives each pair of neighbours, as is usual for searching Chinese: single characters are shared
    by questions that have nothing in common. The text is first put in NFKC form, so that the two
    ways to write an accent are one, and full-width letters are letters.
    """
    words = unicodedata.normalize("NFKC", text).lower().translate(_LETTERS).split()
    if not _HAS_UNSPACED.search(text):
        return words
    return [token for word in words for run in _RUNS.findall(word) for token in _pairs(run)]


def auto(text: str) -> list[str]:
    """Split a text as `unicode` does if `latin` misses much of it, else as `latin`."""
    return unicode(text) if needs_unicode(text) else latin(text)


def needs_unicode(text: str) -> bool:
    """Say whether a text has words without spaces between them, or letters mostly not a to z."""
    if text.isascii():
        return False
    return bool(_HAS_UNSPACED.search(text)) or mostly_unseen(text)


def _pairs(run: str) -> list[str]:
    if not _HAS_UNSPACED.match(run) or len(run) == 1:
        return [run]
    return [one + other for one, other in pairwise(run)]


class _Letters(dict[int, str]):
    """Maps a character for `unicode`: to itself, or to a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if unicodedata.category(character)[0] in "LNM" else " "
        return self[code]


_LETTERS = _Letters()


def mostly_unseen(text: str) -> bool:
    """Say whether `latin` misses most of a text's letters, so that its scores mean little.

    Such a text may look unique when it is not, since nothing is left to compare; or two questions
    in Chinese that share only "COVID 19" may look the same.
    """
    if text.isascii():
        return False
    letters = [character for character in text.lower() if character.isalpha()]
    return 2 * sum(character.isascii() for character in letters) < len(letters)


class TokenNumbers:
    """Numbers for tokens in order of first occurrence, the same in all texts encoded with it."""

    def __init__(self, tokenizer: Tokenizer = latin) -> None:
        self._tokenizer = tokenizer
        self._numbers: defaultdict[str, int] = defaultdict(count().__next__)

    def encode(self, texts: Iterable[str]) -> "tuple[Ints, Ints]":
        """Give the texts' token numbers, one text after the other, and each text's token count."""
        from array import array

        import numpy as np

        numbers, lengths = array("i"), array("i")
        for text in texts:
            tokens = self._tokenizer(text)
            numbers.extend([self._numbers[token] for token in tokens])
            lengths.append(len(tokens))
        return np.asarray(numbers), np.asarray(lengths)  # the same memory, int32 each
