"""Keys and values with room to grow: transformers' own cache copies all of them at every token."""

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel

_SPARE = 64  # tokens of room at a time


def make_cache(model: "PreTrainedModel") -> "DynamicCache | None":
    """Make an empty cache for a model; None for one that keeps a state of its own kind.

    Layers with a window or a state stay transformers' own.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    if "past_key_values" not in inspect.signature(model.forward).parameters:
        return None

    class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
        """Keys and values [rows, heads, tokens, size], each the front part of a larger tensor."""

        key_room: "torch.Tensor | None" = None
        value_room: "torch.Tensor | None" = None

        def update(
            self, key_states: "torch.Tensor", value_states: "torch.Tensor", *_: Any, **__: Any
        ) -> "tuple[torch.Tensor, torch.Tensor]":
            if not self.is_initialized:
                self.lazy_initialization(key_states, value_states)
            length = self.get_seq_length()
            self.key_room = _append(self.keys, self.key_room, key_states, length)
            self.value_room = _append(self.values, self.value_room, value_states, length)
            total = length + key_states.shape[-2]
            self.keys, self.values = self.key_room[:, :, :total], self.value_room[:, :, :total]
            return self.keys, self.values

    cache = DynamicCache(config=model.config.get_text_config())
    for place, layer in enumerate(cache.layers):
        if type(layer) is DynamicLayer:
            cache.layers[place] = RoomyLayer()  # type: ignore[no-untyped-call]
    return cache


def _append(
    held: "torch.Tensor | None", room: "torch.Tensor | None", new: "torch.Tensor", length: int
) -> "torch.Tensor":
    """Write `new` behind the `length` tokens that are held, in a larger room if need be."""
    rows, heads, added, size = new.shape
    # another number of rows: some have left, and `held` is no part of the room any more
    if room is None or len(room) != rows or room.shape[2] < length + added:
        room = new.new_empty(rows, heads, length + added + _SPARE, size)
        if held is not None and length:
            room[:, :, :length] = held
    room[:, :, length : length + added] = new
    return room
