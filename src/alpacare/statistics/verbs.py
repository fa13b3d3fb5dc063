"""The root verb of an instruction and its direct object, by rule: ("write", "leaflet").

Self-Instruct and its successors take both from a parser. Instructions are mostly imperatives, for
which a short rule does: the verb opens a sentence, or follows the comma after an opening ("Given
the note below, list ..."); its object is the head of the noun phrase behind it. A question has no
root verb here, and a clause ("Explain how ...") is no object. tests/description/test_verbs.py holds
the rule against labels by hand.
"""

import re
from collections.abc import Iterator

from alpacare.statistics.word_lists import (
    ADJECTIVE_ENDINGS,
    ADJECTIVES,
    AFTER,
    BEFORE,
    DETERMINERS,
    ENDS,
    GIVING,
    NO_VERB,
    ODD_PLURALS,
    OPENINGS,
    PARTICLES,
    PREPOSITIONS,
    PRONOUNS,
    SHARES,
    SINGULARS,
    SUPPOSING,
    VERBS,
)

_CHOICES = re.compile(r"(?:^|\s)\(?[Aa][.)]\s.*?\s\(?[Bb][.)]\s.*", re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])[')]*\s+|\n+")
_WORD = re.compile(r"\w[\w'/.-]*\w|\w|[^\w\s]")
_PLAIN = str.maketrans("\u2018\u2019\u2013\u2014", "'';;", '"\u201c\u201d')  # dashes part clauses
_NO_BASE_FORM = ("ing", "ed", "ly")
_MODALS = ("can", "could", "would", "will")


def root_verb(instruction: str) -> tuple[str | None, str | None]:
    """Give the verb in base form and its direct object in the singular, each None if there is none.

    The choices of a multiple-choice question are not looked at.
    """
    for words in _clauses(_CHOICES.sub("", instruction)):
        found = _imperative(words)
        if found is not None:
            verb = words[found]
            return verb, _object(verb, words[found + 1 :])
    return None, None


def _clauses(text: str) -> Iterator[list[str]]:
    """Yield what may begin with an imperative, in lower case, word by word, in order."""
    for sentence in _SENTENCE.split(text.translate(_PLAIN)):
        words = _WORD.findall(sentence.lower())
        starts = [0]
        for place, word in enumerate(words):
            opened = bool(words) and words[0] in OPENINGS
            if word in ";:" or (word == "," and opened):
                starts.append(place + 1)
        yield from (words[start:] for start in starts)


def _imperative(words: list[str]) -> int | None:
    """Find the verb if the clause is an imperative, or a request such as "Could you explain"."""
    place = 0
    if words[:1] and words[0] in _MODALS and words[1:2] == ["you"]:
        place = 2
    while place < len(words) and (words[place] in BEFORE or words[place] == "'"):
        place += 1
    if place < len(words) - 1 and words[place].endswith("ly") and words[place] not in VERBS:
        place += 1  # briefly
    if place >= len(words):
        return None
    word, following = words[place], words[place + 1 : place + 2]
    if word in VERBS:
        return place
    unknown = word.isalpha() and word not in NO_VERB | ENDS and not word.endswith(_NO_BASE_FORM)
    return place if unknown and following and following[0] in DETERMINERS else None


def _object(verb: str, words: list[str]) -> str | None:
    """Give the head of the noun phrase that follows the verb, whoever gets it left out."""
    words = [] if verb in SUPPOSING else list(words)
    while words and (words[0] in PARTICLES or words[0].endswith("ly")):
        del words[0]
    if words and words[0] in PRONOUNS:
        if verb not in GIVING:
            return None
        del words[0]
    phrase, rest = _noun_phrase(words)
    if words and words[0] in PREPOSITIONS:
        between, rest = _noun_phrase(words[1:])
        phrase = _noun_phrase(rest)[0] if between and rest and rest[0] in DETERMINERS else []
    elif phrase and verb in GIVING and rest and rest[0] in DETERMINERS:
        phrase = _noun_phrase(rest)[0] or phrase  # "Give the patient a plan"
    return _head(phrase)


def _noun_phrase(words: list[str]) -> tuple[list[str], list[str]]:
    """Cut off a noun phrase without its determiners; give it and what follows."""
    phrase: list[str] = []
    for place, word in enumerate(words):
        following = words[place + 1 :]
        if word in SHARES and following[:1] == ["of"]:
            phrase = []
        elif word in DETERMINERS or (word == "of" and words[max(0, place - 1)] in SHARES):
            if phrase:
                return phrase, [] if word == "that" else words[place:]
        elif word in ("and", "or", "but", ",") and phrase and _joins(phrase[-1], following):
            continue
        elif not word[0].isalnum() or word in ENDS or (phrase and _says_more(word)):
            return phrase, words[place:]
        else:
            phrase.append(word)
    return phrase, []


def _joins(word: str, following: list[str]) -> bool:
    """Whether "," or "and" stands between this adjective and more of the same noun phrase."""
    adjective = word in ADJECTIVES or word.endswith(ADJECTIVE_ENDINGS)
    return adjective and bool(following) and following[0] not in DETERMINERS | ENDS


def _says_more(word: str) -> bool:
    """Whether a word behind a noun is a participle of a known verb: "an essay explaining"."""
    stem = word.removesuffix("ing")
    known = bool({stem, stem + "e", stem[:-1]} & VERBS) or word in ("covering", "including")
    return known and stem != word and word not in ("reasoning", "warning")


def _head(phrase: list[str]) -> str | None:
    phrase = list(phrase)
    while phrase and (phrase[-1] in AFTER or (phrase[1:] and phrase[-1].endswith(("ed", "ly")))):
        del phrase[-1]  # the symptoms described
    if not phrase or not phrase[-1][0].isalpha() or _says_more(phrase[-1]):
        return None
    return singular(phrase[-1])


def singular(noun: str) -> str:
    """Give the singular of an English noun, by its ending."""
    if noun in SINGULARS or noun.endswith(("ss", "us", "is", "'s")) or len(noun) < 4:
        return noun
    if noun in ODD_PLURALS:
        return ODD_PLURALS[noun]
    if noun.endswith(("noses", "theses", "alyses", "crises")):
        return noun[:-2] + "is"
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith(("sses", "ches", "shes", "xes")):
        return noun[:-2]
    return noun.removesuffix("s")
