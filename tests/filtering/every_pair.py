"""All pairs above a threshold, for tests that look at pairs and not at rules."""

from collections.abc import Sequence

import numpy as np

from alpacare.filtering.near_duplicates import Pair, local
from alpacare.filtering.tokens import Numbering, Tokenizer, latin


def pairs_above(texts: Sequence[str], threshold: float, tokenizer: Tokenizer = latin) -> list[Pair]:
    """Give every pair of texts above the threshold, ordered by second, then first."""
    tokens, lengths = Numbering(tokenizer).number(texts)
    found = local(tokens, lengths, threshold, 0, np.ones(len(lengths), dtype=np.bool_))
    return [
        Pair(*row)
        for part in found
        for row in zip(part.first.tolist(), part.second.tolist(), part.score.tolist(), strict=True)
    ]
