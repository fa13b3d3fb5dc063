"""How many rows there are of each kind, and how evenly they are spread."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import fsum, log2
from typing import Any

TOP = 20  # AlpaCare's figures look at the 20 most frequent values only
OBJECTS = 4  # and at four objects of each of its 20 verbs

Found = tuple[str | None, str | None]  # a root verb and its object, as far as there are any
Pair = tuple[str, str]


def entropy(counts: Iterable[int]) -> float:
    """Give the entropy of a distribution in bits: 0 for one value, log2(n) for n equal ones."""
    counts = [count for count in counts if count]
    total = sum(counts)
    return fsum(-count / total * log2(count / total) for count in counts)


def ranked(values: Iterable[str]) -> list[tuple[str, int]]:
    """Count values that differ only by case as one, most frequent first, then by the alphabet.

    It is written as most rows write it, or as the first of them.
    """
    spellings: dict[str, Counter[str]] = {}
    for value in values:
        spellings.setdefault(value.casefold(), Counter())[value] += 1
    counts = [(seen.most_common(1)[0][0], seen.total()) for seen in spellings.values()]
    return sorted(counts, key=lambda each: (-each[1], each[0]))


def spread(counts: Sequence[tuple[str, int]], rows: int) -> dict[str, Any] | None:
    """Say how `ranked` values are spread over rows, of which some may have none; None if all.

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


def top_pairs(pairs: Mapping[Pair, int]) -> list[tuple[str, str, int]]:
    """Give the 20 most frequent verbs, each with its four most frequent objects.

    A verb's rank is by its rows with any object. Ties go by the alphabet.
    """
    verbs: dict[str, dict[str, int]] = {}
    for (verb, noun), count in pairs.items():
        verbs.setdefault(verb, {})[noun] = count
    best = sorted(verbs, key=lambda verb: (-sum(verbs[verb].values()), verb))[:TOP]
    return [
        (verb, noun, count)
        for verb in best
        for noun, count in sorted(verbs[verb].items(), key=lambda each: (-each[1], each[0]))[
            :OBJECTS
        ]
    ]


def count_pairs(found: Iterable[Found]) -> Counter[Pair]:
    """Count the pairs that have both."""
    return Counter((verb, noun) for verb, noun in found if verb and noun)


def describe_verbs(found: Sequence[Found]) -> dict[str, Any]:
    """Say what root verbs and objects the rows have; shares are of all rows.

    `top` is the 20 verbs with four objects each, and its entropy is as if there were no others.
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
    """Give part / whole to four places; None of nothing."""
    return round(part / whole, 4) if whole else None
