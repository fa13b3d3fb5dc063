"""All pairs above a threshold, for tests that look at pairs and not at rules."""

from collections.abc import Sequence

import numpy as np

from alpacare.filtering.near_duplicates import NearDuplicatePair, local_pairs
from alpacare.filtering.tokens import Tokenizer, TokenNumbers, latin


def pairs_above(
    texts: Sequence[str], threshold: float, tokenizer: Tokenizer = latin
) -> list[NearDuplicatePair]:
    """Give every pair of texts above the threshold, ordered by second, then first."""
    tokens, lengths = TokenNumbers(tokenizer).encode(texts)
    found = local_pairs(tokens, lengths, threshold, 0, np.ones(len(lengths), dtype=np.bool_))
    return [
        NearDuplicatePair(*row)
        for part in found
        for row in zip(part.first.tolist(), part.second.tolist(), part.score.tolist(), strict=True)
    ]
