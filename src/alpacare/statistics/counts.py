"""How many rows there are of each kind, and how evenly they are spread."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, log2
from typing import Any

TOP = 20  # AlpaCare's figures are over the 20 most frequent values only

RootVerb = tuple[str | None, str | None]  # and its object; None if there is none
VerbObject = tuple[str, str]


def entropy(counts: Iterable[int]) -> float:
    """Give the entropy of a distribution in bits: 0 for one value, log2(n) for n equal ones."""
    counts = [count for count in counts if count]
    total = sum(counts)
    return fsum(-count / total * log2(count / total) for count in counts)


def rank_values(values: Iterable[str]) -> list[tuple[str, int]]:
    """Count values that differ only by case as one, most frequent first, then by the alphabet.

    It is written as most rows write it, or else as the first of them.
    """
    variants: dict[str, Counter[str]] = {}
    for value in values:
        variants.setdefault(value.casefold(), Counter())[value] += 1
    return _ranked((seen.most_common(1)[0][0], seen.total()) for seen in variants.values())


def _ranked(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(counts, key=lambda each: (-each[1], each[0]))


def describe_spread(counts: Sequence[tuple[str, int]], rows: int) -> dict[str, Any] | None:
    """Describe how ranked values are spread over rows; None if no row has a value.

    `entropy_bits` is over every value; `top_20_entropy_bits` over the most frequent ones as if
    there were no others, which is how AlpaCare counted.
    """
    known = sum(count for _, count in counts)
    top = [count for _, count in counts[:TOP]]
    if not known:
        return None
    return {
        "known": known,
        "unknown": rows - known,
        "distinct": len(counts),
        "entropy_bits": round(entropy(count for _, count in counts), 4),
        "top_20_entropy_bits": round(entropy(top), 4),
        "top_20_share": round(sum(top) / known, 4),
    }


def top_pairs(pairs: Mapping[VerbObject, int]) -> list[tuple[str, str, int]]:
    """Give the 20 most frequent verbs, each with its four most frequent objects, as AlpaCare does.

    A verb's rank is by its rows with any object. Ties go by the alphabet.
    """
    verbs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (verb, noun), count in pairs.items():
        verbs[verb][noun] = count
    best = _ranked((verb, nouns.total()) for verb, nouns in verbs.items())[:TOP]
    objects = ((verb, _ranked(verbs[verb].items())[:4]) for verb, _ in best)
    return [(verb, noun, count) for verb, nouns in objects for noun, count in nouns]


def count_pairs(found: Iterable[RootVerb]) -> Counter[VerbObject]:
    """Count the pairs that have both."""
    return Counter((verb, noun) for verb, noun in found if verb and noun)


def describe_verbs(found: Sequence[RootVerb]) -> dict[str, Any]:
    """Describe the rows' root verbs and objects; shares are of all rows.

    The figures `top_...` are over the 20 verbs with four objects each, as if there were no others.
    """
    rows, pairs = len(found), count_pairs(found)
    verbs = Counter(verb for verb, _ in found if verb)
    top = [count for *_, count in top_pairs(pairs)]
    return {
        "with_verb": verbs.total(),
        "with_object": pairs.total(),
        "distinct_verbs": len(verbs),
        "distinct_pairs": len(pairs),
        "pair_entropy_bits": round(entropy(pairs.values()), 4),
        "top_entropy_bits": round(entropy(top), 4),
        "top_covers": sum(top),
        "top_covers_share": share(sum(top), rows),
    }


def share(part: int, whole: int) -> float | None:
    """Give part / whole to four places; None if the whole is 0."""
    return round(part / whole, 4) if whole else None
