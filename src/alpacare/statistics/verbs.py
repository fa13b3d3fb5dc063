"""The root verb of an instruction and its direct object, by rule: ("write", "leaflet").

Self-Instruct and its successors use a parser. Instructions are mostly imperatives, for which a
short rule is enough: the verb starts a sentence, or follows the comma after an introduction ("Given
the note below, list ..."); its object is the head of the next noun phrase. A question has no root
verb here, and a clause ("Explain how ...") is no object. tests/statistics/test_verbs.py compares
the rule with labels by hand.
"""

import re
from collections.abc import Iterator

from alpacare.statistics import word_lists as lists

_CHOICES = re.compile(r"(?:^|\s)\(?[Aa][.)]\s.*?\s\(?[Bb][.)]\s.*", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])[')]*\s+|\n+")
_WORD = re.compile(r"\w[\w'/.-]*\w|\w|[^\w\s]")
_PLAIN = str.maketrans("\u2018\u2019\u2013\u2014", "'';;", '"\u201c\u201d')  # dashes part clauses


def root_verb(instruction: str) -> tuple[str | None, str | None]:
    """Give the verb in base form and its direct object in the singular, each None if there is none.

    The choices of a multiple-choice question are ignored.
    """
    for words in _clauses(_CHOICES.sub("", instruction)):
        if (found := _imperative(words)) is not None:
            return words[found], _object(words[found], words[found + 1 :])
    return None, None


def _clauses(text: str) -> Iterator[list[str]]:
    """Yield clauses that may start with an imperative, as lower-case words, in order."""
    for sentence in _SENTENCE.split(text.translate(_PLAIN)):
        words = _WORD.findall(sentence.lower())
        ends = ";:" if lists.OPENINGS.isdisjoint(words[:1]) else ";:,"
        starts = [0, *(place for place, word in enumerate(words, start=1) if word in ends)]
        yield from (words[start:] for start in starts)


def _imperative(words: list[str]) -> int | None:
    """Find the verb of an imperative, or of a request such as "Could you explain"."""
    place = 2 if " ".join(words[:2]) in ("can you", "could you", "would you", "will you") else 0
    while place < len(words) and (words[place] in lists.BEFORE or words[place] == "'"):
        place += 1
    if place < len(words) - 1 and words[place].endswith("ly") and words[place] not in lists.VERBS:
        place += 1  # briefly
    if place >= len(words):
        return None
    word, following = words[place], words[place + 1 : place + 2]
    base_form = word.isalpha() and not word.endswith(("ing", "ed", "ly"))
    unknown = base_form and word not in lists.NO_VERB | lists.ENDS
    if word in lists.VERBS or (unknown and lists.DETERMINERS.intersection(following)):
        return place
    return None


def _object(verb: str, words: list[str]) -> str | None:
    """Give the head of the noun phrase after the verb, without an indirect object."""
    words = [] if verb in lists.SUPPOSING else list(words)
    while words and (words[0] in lists.PARTICLES or words[0].endswith("ly")):
        del words[0]
    if words and words[0] in lists.PRONOUNS:
        if verb not in lists.GIVING:
            return None
        del words[0]
    phrase, rest = _noun_phrase(words)
    if words and words[0] in lists.PREPOSITIONS:
        between, rest = _noun_phrase(words[1:])
        phrase = _noun_phrase(rest)[0] if between and rest and rest[0] in lists.DETERMINERS else []
    elif phrase and verb in lists.GIVING and rest and rest[0] in lists.DETERMINERS:
        phrase = _noun_phrase(rest)[0] or phrase  # "Give the patient a plan"
    return _head(phrase)


def _noun_phrase(words: list[str]) -> tuple[list[str], list[str]]:
    """Give the noun phrase at the start, without determiners, and the words after it."""
    phrase: list[str] = []
    for place, word in enumerate(words):
        before, following = words[max(0, place - 1)], words[place + 1 :]
        if word in lists.SHARES and following[:1] == ["of"]:
            phrase = []
        elif word in lists.DETERMINERS or (word == "of" and before in lists.SHARES):
            if phrase:
                return phrase, [] if word == "that" else words[place:]
        elif word in ("and", "or", "but", ",") and phrase and _joins(phrase[-1], following):
            continue
        elif not word[0].isalnum() or word in lists.ENDS or (phrase and _is_participle(word)):
            return phrase, words[place:]
        else:
            phrase.append(word)
    return phrase, []


def _joins(word: str, following: list[str]) -> bool:
    """Say whether "," or "and" after this adjective continues the noun phrase."""
    adjective = word in lists.ADJECTIVES or word.endswith(lists.ADJECTIVE_ENDINGS)
    return adjective and bool(following) and following[0] not in lists.DETERMINERS | lists.ENDS


def _is_participle(word: str) -> bool:
    """Say whether a word after a noun is a participle of a known verb: "an essay explaining"."""
    stem = word.removesuffix("ing")
    known = bool({stem, stem + "e", stem[:-1]} & lists.VERBS) or word in ("covering", "including")
    return known and stem != word and word not in ("reasoning", "warning")


def _head(phrase: list[str]) -> str | None:
    *before, head = phrase or [""]
    while head in lists.AFTER or (before and head.endswith(("ed", "ly"))):
        *before, head = before or [""]  # the symptoms described
    return None if not head[:1].isalpha() or _is_participle(head) else singular(head)


def singular(noun: str) -> str:
    """Give the singular of an English noun, by its ending."""
    if noun in lists.SINGULARS or noun.endswith(("ss", "us", "is", "'s")) or len(noun) < 4:
        return noun
    if noun in lists.ODD_PLURALS:
        return lists.ODD_PLURALS[noun]
    if noun.endswith(("noses", "theses", "alyses", "crises")):
        return noun[:-2] + "is"
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith(("sses", "ches", "shes", "xes")):
        return noun[:-2]
    return noun.removesuffix("s")
