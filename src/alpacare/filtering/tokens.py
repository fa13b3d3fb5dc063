"""Splitting texts into tokens, and tokens into numbers.

`latin` is rouge_score's default: the published numbers rest on it, and it sees nothing but a-z and
0-9. `unicode` reads every script, and agrees with `latin` on ASCII text.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alpacare.filtering.join_rows import Ints

Tokenizer = Callable[[str], list[str]]

_LATIN = re.compile("[a-z0-9]+")
# Scripts written without spaces between words: each character is a token, as is usual for Chinese.
_UNSPACED = "CJK HIRAGANA KATAKANA THAI LAO KHMER MYANMAR TIBETAN BOPOMOFO"


def latin(text: str) -> list[str]:
    """Split a text as rouge_score does without stemming: lower case, then runs of a-z and 0-9."""
    return _LATIN.findall(text.lower())


def unicode(text: str) -> list[str]:
    """Split a text into lower-case words of any script, or characters where words are not spaced.

    Letters, digits and their marks make words. The text is first put in NFKC form, so that the two
    ways to write an accent are one, and full-width letters are letters.
    """
    return unicodedata.normalize("NFKC", text).lower().translate(_SPACING).split()


class _Spacing(dict[int, str]):
    """Maps a character for `unicode`: to itself, to itself between spaces, or to a space."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character)[0] not in "LNM":
            spaced = " "
        elif unicodedata.name(character, "").split(" ")[0] in _UNSPACED.split():
            spaced = f" {character} "
        else:
            spaced = character
        self[code] = spaced
        return spaced


_SPACING = _Spacing()


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
