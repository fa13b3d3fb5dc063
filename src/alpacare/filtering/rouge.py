"""ROUGE-L exactly as the rouge_score package computes it, at C++ speed.

F = 2pr / (p + r) with p = LCS/m and r = LCS/n over the two texts' tokens (Lin, 2004, eq. 5 with
beta = 1). The longest common subsequence comes from rapidfuzz; the quotients are computed in
float64 in rouge_score's own order, because rounding decides pairs that lie exactly on a threshold.
"""

from collections.abc import Iterable
from typing import Any

from alpacare.filtering.tokens import TokenNumbers

_FEW = 1 << 12  # pairs


def encode(texts: Iterable[str]) -> list[str]:
    """Write each distinct token (`latin`) as one character, so that token lists become strings."""
    from alpacare.filtering.join_rows import encode_rows

    return list(encode_rows(*TokenNumbers().encode(texts)))


def scores(rows: list[str], columns: list[str]) -> Any:
    """Give the float64 matrix [len(rows), len(columns)] of ROUGE-L F between encoded texts."""
    import numpy as np
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    workers = -1 if len(rows) * len(columns) > _FEW else 1  # to start threads takes time
    common = cdist(rows, columns, scorer=LCSseq.similarity, dtype=np.int32, workers=workers)
    m, n = (np.array([len(text) for text in side], dtype=np.int32) for side in (rows, columns))
    return f_measure(common, m[:, None], n)


def f_measure(common: Any, m: Any, n: Any) -> Any:
    """Give ROUGE-L F (float64) of LCS length `common` over lengths `m` and `n`, all int arrays.

    Nothing in common, or an empty text, scores 0.
    """
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = common / m, common / n
        return np.nan_to_num(2 * precision * recall / (precision + recall))
