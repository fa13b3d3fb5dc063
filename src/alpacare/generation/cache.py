"""Keys and values of rows that are answered together: rows leave and join, padding goes.

A cache with spare space, where transformers' own copies everything at every token.
"""

from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from transformers import DynamicCache, PreTrainedModel

_SPARE = 64  # tokens that the cache allocates ahead


def make_cache(model: "PreTrainedModel") -> "DynamicCache | None":
    """Make an empty cache for a model; None for one that keeps a state of its own kind.

    Layers with a window or a state stay transformers' own.
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


def rows_can_join(cache: "DynamicCache | None") -> bool:
    """Say whether each layer holds all tokens, so that rows of another length can join."""
    return cache is not None and all(hasattr(layer, "key_buffer") for layer in cache.layers)


def keep_rows(cache: "DynamicCache", rows: "torch.Tensor", padding: int) -> None:
    """Keep some rows; of a cache whose rows can join leave the first `padding` tokens out."""
    cache.batch_select_indices(rows)
    if padding:
        for layer in cache.layers:
            _set(layer, *(states[:, :, padding:] for states in _states(layer)))


def join_caches(caches: "Sequence[DynamicCache]") -> "DynamicCache":
    """Put the rows of all into the first one, those with fewer tokens padded on the left."""
    import torch

    first, most = caches[0], max(cache.get_seq_length() for cache in caches)
    for place, layer in enumerate(first.layers):
        padded = [
            [torch.nn.functional.pad(part, (0, 0, most - part.shape[2], 0)) for part in parts]
            for parts in zip(*(_states(cache.layers[place]) for cache in caches), strict=True)
        ]
        _set(layer, *map(torch.cat, padded))
    return first


def _states(layer: Any) -> "tuple[torch.Tensor, torch.Tensor]":
    return layer.keys, layer.values


def _set(layer: Any, keys: "torch.Tensor", values: "torch.Tensor") -> None:
    layer.keys, layer.values = keys, values
    layer.key_buffer = layer.value_buffer = None  # the old ones hold other rows or tokens


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
