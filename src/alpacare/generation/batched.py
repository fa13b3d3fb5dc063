"""Engine `batched`: transformers' generate on left-padded prompts of similar length.

Every few tokens, rows that have ended leave the batch, so that they cost no more.
"""

from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from alpacare.core.progress import RowsDone, ignore_progress
from alpacare.generation.sampling import make_sampler
from alpacare.generation.settings import Decoding

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel

_SPARE = 64  # tokens that the cache allocates ahead
_CHUNK = 32  # new tokens between two checks of which rows have ended


def plan_batches(lengths: Sequence[int], new_tokens: int, cache_tokens: int) -> list[list[int]]:
    """Cut prompts into batches of similar length: little padding, the same in every run.

    A batch holds as many prompts, padded to its longest and with `new_tokens` each, as
    `cache_tokens` allow, and one at least. Longest first, so that one too large for the memory
    shows at once. Returns positions.
    """
    batches: list[list[int]] = []
    most = 0  # rows of the last batch
    for position in sorted(range(len(lengths)), key=lambda p: (-lengths[p], p)):
        if not batches or len(batches[-1]) == most:
            most = max(1, cache_tokens // (lengths[position] + new_tokens))
            batches.append([])
        batches[-1].append(position)
    return batches


def answer_batch(
    model: "PreTrainedModel",
    prompts: Sequence[list[int]],
    seeds: Sequence[int],
    decoding: Decoding,
    report: RowsDone = ignore_progress,
) -> list[list[int]]:
    """Answer prompts together: new token ids by row, what follows an end of text included.

    `report` is told now and then how many tokens the batch has so far.
    """
    import torch

    settings = decoding.settings
    width = max(map(len, prompts))
    end = width + settings.max_new_tokens
    ids, mask = pad_left(prompts, decoding.pad_id, model.device)
    rows = list(range(len(prompts)))
    answers: list[list[int]] = [[] for _ in prompts]
    cache = make_cache(model)
    chunk = _CHUNK if cache else settings.max_new_tokens
    while rows and ids.shape[1] < end:
        samplers = []
        if settings.temperature:
            samplers = [make_sampler([seeds[row] for row in rows], width, settings)]
        with torch.inference_mode():
            output: Any = model.generate(  # type: ignore[operator]
                input_ids=ids,
                attention_mask=mask,
                past_key_values=cache,
                generation_config=decoding.config(min(chunk, end - ids.shape[1])),
                logits_processor=samplers,
            )
        ids = output.sequences
        mask = torch.nn.functional.pad(mask, (0, ids.shape[1] - mask.shape[1]), value=1)
        for row, new in zip(rows, ids[:, width:].tolist(), strict=True):
            answers[row] = new
        report(sum(map(len, answers)))
        ends = {*decoding.end_ids}
        unfinished = [place for place, row in enumerate(rows) if not ends & {*answers[row]}]
        if len(unfinished) < len(rows):
            keep = torch.tensor(unfinished, dtype=torch.long, device=ids.device)
            ids, mask, rows = ids[keep], mask[keep], [rows[place] for place in unfinished]
            if cache:
                cache.batch_select_indices(keep)
    return answers


def pad_left(
    prompts: Sequence[Sequence[int]], pad_id: int, device: "torch.device"
) -> "tuple[torch.Tensor, torch.Tensor]":
    """Stack prompts, [rows, longest], with padding before them, and a mask that is 0 there."""
    import torch

    width = max(map(len, prompts))
    ids = [[pad_id] * (width - len(prompt)) + [*prompt] for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def make_cache(model: "PreTrainedModel") -> "DynamicCache | None":
    """Make an empty cache for a model; None for one that keeps a state of its own kind.

    It has spare space, where transformers' own copies everything at every token. Layers with a
    window or a state stay transformers' own.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    if "past_key_values" not in signature(model.forward).parameters:
        return None

    class PreallocatedLayer(DynamicLayer):  # type: ignore[no-untyped-call]
        """Keys and values [rows, heads, tokens, size], each the first part of a larger tensor."""

        key_buffer: "torch.Tensor | None" = None
        value_buffer: "torch.Tensor | None" = None

        def update(
            self, key_states: "torch.Tensor", value_states: "torch.Tensor", *_: Any, **__: Any
        ) -> "tuple[torch.Tensor, torch.Tensor]":
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            length = self.get_seq_length()
            self.key_buffer = _append(self.keys, self.key_buffer, key_states, length)
            self.value_buffer = _append(self.values, self.value_buffer, value_states, length)
            total = length + key_states.shape[-2]
            self.keys, self.values = self.key_buffer[:, :, :total], self.value_buffer[:, :, :total]
            return self.keys, self.values

    cache = DynamicCache(config=model.config.get_text_config())
    for place, layer in enumerate(cache.layers):
        if type(layer) is DynamicLayer:
            cache.layers[place] = PreallocatedLayer()  # type: ignore[no-untyped-call]
    return cache


def _append(
    held: "torch.Tensor | None", buffer: "torch.Tensor | None", new: "torch.Tensor", length: int
) -> "torch.Tensor":
    """Write `new` after the `length` tokens that are held, in a larger buffer if need be."""
    rows, heads, added, size = new.shape
    # with another number of rows, some have left, and `held` is no part of the buffer any more
    if buffer is None or len(buffer) != rows or buffer.shape[2] < length + added:
        buffer = new.new_empty(rows, heads, length + added + _SPARE, size)
        if held is not None and length:
            buffer[:, :, :length] = held
    buffer[:, :, length : length + added] = new
    return buffer
