"""Sampled decoding with random numbers by row: the same row, the same draws, in any batch."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from alpacare.generation.settings import GenerationsSettings

if TYPE_CHECKING:
    import torch
    from transformers import LogitsProcessor

_ONE = 2**40  # a probability of 1 in whole numbers, whose sums are exact in any order


def row_seed(seed: int, id: str) -> int:
    """Give a row's own seed, 31 bits: servers take no more."""
    digest = hashlib.sha256(f"{seed}:{id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def draw_tokens(
    logits: "torch.Tensor", uniforms: "torch.Tensor", temperature: float, top_p: float
) -> "torch.Tensor":
    """Draw a token for each row by inverting its cumulative distribution.

    logits [rows, tokens], uniforms [rows] in [0, 1). Only from the nucleus: the fewest tokens that
    hold `top_p` together (Holtzman et al. 2020, arXiv 1904.09751, eq. 2-3).
    Returns token ids [rows].
    """
    probabilities = (logits.double() / temperature).softmax(-1)
    weights, order = (probabilities * _ONE).long().sort(dim=-1, descending=True, stable=True)
    before = weights.cumsum(-1) - weights
    total = weights.sum(-1, keepdim=True)
    weights = weights.where(before < top_p * total, 0)
    cumulative = weights.cumsum(-1)
    target = (uniforms[:, None] * cumulative[:, -1:]).long()
    place = (cumulative <= target).sum(-1, keepdim=True)
    return order.gather(-1, place)[:, 0]


def make_sampler(
    seeds: Sequence[int], drawn: Sequence[int], width: int, settings: GenerationsSettings
) -> "LogitsProcessor":
    """Make what turns the logits of a batch into one choice a row, for greedy decoding to take.

    `seeds`: one a row; `drawn`: how often it was drawn for each before; `width`: tokens a row now.
    """
    import numpy as np
    import torch
    from transformers import LogitsProcessor

    most = settings.max_new_tokens
    table = torch.from_numpy(np.stack([np.random.default_rng(s).random(most) for s in seeds]))
    rows, first = torch.arange(len(seeds)), torch.tensor(drawn)

    class RowSampler(LogitsProcessor):
        def __call__(
            self, input_ids: torch.LongTensor, scores: torch.FloatTensor
        ) -> torch.FloatTensor:
            uniforms = table[rows, first + (input_ids.shape[1] - width)].to(scores.device)
            chosen = draw_tokens(scores, uniforms, settings.temperature, settings.top_p)
            only: torch.FloatTensor = torch.full_like(scores, -torch.inf)  # type: ignore[assignment]
            only.scatter_(1, chosen[:, None], 0.0)
            return only

    return RowSampler()
