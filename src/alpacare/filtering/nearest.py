"""How near each text is to the nearest of some others, by ROUGE-L F."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alpacare.filtering.rouge import scores
from alpacare.filtering.tokens import TokenNumbers, auto

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_AT_ONCE = 1 << 22  # pairs of texts in memory, 24 bytes each


def nearest_scores(texts: Sequence[str], targets: Sequence[str]) -> "NDArray[np.float64]":
    """Give the ROUGE-L F of each text with the target that it is nearest to, shape [len(texts)].

    Letters of any script are seen (`tokens.auto`). The time grows with len(texts) * len(targets).
    """
    import numpy as np

    from alpacare.filtering.join_rows import encode_rows

    encoded = list(encode_rows(*TokenNumbers(auto).encode([*texts, *targets])))
    rows, columns = encoded[: len(texts)], encoded[len(texts) :]
    step = max(1, _AT_ONCE // len(columns))
    parts: list[Any] = [
        scores(rows[start : start + step], columns).max(axis=1)
        for start in range(0, len(rows), step)
    ]
    return np.concatenate(parts)
