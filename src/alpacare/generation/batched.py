"""Engine `batched`: transformers' generate on left-padded prompts of similar length.

Every few tokens, rows that have ended leave the batch, so that they cost no more.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alpacare.generation.cache import make_cache
from alpacare.generation.decoding import Decoding
from alpacare.generation.sampling import make_sampler
from alpacare.generation.settings import GenerationsSettings

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_STRETCH = 32  # new tokens between two looks at who has ended


def plan(lengths: Sequence[int], settings: GenerationsSettings) -> list[list[int]]:
    """Cut the prompts into batches of similar length: little padding, the same in every run.

    A batch holds as many prompts, padded to its longest and with room for an answer each, as
    `cache_tokens` allow, and one at least. Longest first, so that one too large for the memory
    shows at once. Returns positions.
    """
    batches: list[list[int]] = []
    most = 0  # rows of the batch at hand
    for position in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        if not batches or len(batches[-1]) == most:
            most = max(1, settings.cache_tokens // (lengths[position] + settings.max_new_tokens))
            batches.append([])
        batches[-1].append(position)
    return batches


def answer_batch(
    model: "PreTrainedModel",
    prompts: Sequence[list[int]],
    seeds: Sequence[int],
    decoding: Decoding,
) -> list[list[int]]:
    """Answer prompts together: new token ids by row, what follows an end of text included."""
    import torch

    settings = decoding.settings
    width = max(map(len, prompts))
    end = width + settings.max_new_tokens
    ids, mask = _pad(prompts, width, decoding.pad, model.device)
    rows = list(range(len(prompts)))
    answers: list[list[int]] = [[] for _ in prompts]
    cache = make_cache(model)
    stretch = _STRETCH if cache else settings.max_new_tokens
    while rows and ids.shape[1] < end:
        samplers = []
        if settings.temperature:
            own = [seeds[row] for row in rows]
            samplers = [make_sampler(own, width, settings)]
        with torch.inference_mode():
            output: Any = model.generate(  # type: ignore[operator]
                input_ids=ids,
                attention_mask=mask,
                past_key_values=cache,
                generation_config=decoding.config(min(stretch, end - ids.shape[1])),
                logits_processor=samplers,
            )
        ids = output.sequences
        mask = torch.nn.functional.pad(mask, (0, ids.shape[1] - mask.shape[1]), value=1)
        for row, new in zip(rows, ids[:, width:].tolist(), strict=True):
            answers[row] = new
        going = [place for place, row in enumerate(rows) if not {*decoding.ends} & {*answers[row]}]
        if len(going) < len(rows):
            keep = torch.tensor(going, dtype=torch.long, device=ids.device)
            ids, mask, rows = ids[keep], mask[keep], [rows[place] for place in going]
            if cache:
                cache.batch_select_indices(keep)
    return answers


def _pad(
    prompts: Sequence[list[int]], width: int, pad: int, device: "torch.device"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Lay prompts [rows, width] with padding before them, and a mask that is 0 there."""
    import torch

    ids = [[pad] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
