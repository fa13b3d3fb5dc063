"""Attention example by example, on a CPU: no padding, no mask, no pair of tokens for nothing.

transformers' own way through a packed row computes all pairs of its tokens and hides those of
different examples. Cut at the restarts of the position ids, only pairs inside an example are
computed. On a GPU many small kernels would be slower than one large one.
"""

from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from alpacare.training.packing import IGNORED, Example, build_row

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

_NAME = "by_example"


def attend_by_example(model: "PreTrainedModel | PeftModel") -> bool:
    """Set this attention, where the model's code takes it; else change nothing and say False."""
    from transformers import AttentionInterface, AttentionMaskInterface

    base: Any = getattr(model, "get_base_model", lambda: model)()
    takes_it = getattr(base, "_supports_attention_backend", False)
    windowed = getattr(base.config, "sliding_window", None)
    if not takes_it or windowed or "logits_to_keep" not in signature(base.forward).parameters:
        return False
    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, lambda *_, **__: None)
    base.set_attn_implementation(_NAME)
    return True


def _attend(
    module: Any,
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: None,
    *,
    position_ids: "torch.Tensor",
    **kwargs: Any,
) -> tuple["torch.Tensor", None]:
    """transformers' sdpa on each example of one row: [1, heads, tokens, size] in and out."""
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    starts = (position_ids[0] == 0).nonzero()[:, 0].tolist()
    parts = []
    for start, end in zip(starts, [*starts[1:], query.shape[2]], strict=True):
        q, k, v = (tensor[:, :, start:end] for tensor in (query, key, value))
        parts.append(sdpa_attention_forward(module, q, k, v, None, **kwargs)[0])
    return torch.cat(parts, dim=1), None


def collate_flat(rows: Sequence[Sequence[Example]], pad_id: int) -> dict[str, Any]:
    """Lay all rows end to end in one, [1, tokens], and ask for logits only where a label is.

    A prompt's logits would be thrown away: they are a good third of all, and in a small model with
    a large vocabulary much of the work.
    """
    import torch

    examples = [example for row in rows for example in row]
    length = max(1, sum(len(example.ids) for example in examples))
    batch = {name: part[None] for name, part in build_row(examples, length, pad_id).items()}
    following = torch.nn.functional.pad(batch["labels"], (0, 1), value=IGNORED)[:, 1:]
    kept = (following[0] != IGNORED).nonzero()[:, 0]
    return batch | {"logits_to_keep": kept, "shift_labels": following[:, kept]}
