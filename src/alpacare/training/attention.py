"""Padding-free attention on a CPU: each example alone, without mask and masked pairs of tokens.

transformers' own way through a packed sequence computes all pairs of its tokens and hides those of
different examples. Cut at the restarts of the position ids, only pairs inside an example are
computed. On a GPU many small kernels would be slower than one large one.

A test before training checks that the restarts do keep examples apart. Models with attention or
state of their own may ignore them, and would let examples see each other without a warning.
"""

from collections.abc import Sequence
from inspect import signature
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.training.packing import IGNORE_INDEX, Example, PackedSequence, build_tensors

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

_NAME = "by_example"
_LENGTH = 8  # tokens of each of two examples
_NOISE = 1e-3  # of the largest logit: what rounding may change, and a leak exceeds


def use_padding_free_attention(model: "PreTrainedModel | PeftModel") -> bool:
    """Set this attention where the model's code supports it; else change nothing, return False."""
    from transformers import AttentionInterface, AttentionMaskInterface

    base: Any = getattr(model, "get_base_model", lambda: model)()
    supported = getattr(base, "_supports_attention_backend", False)
    config = base.config.get_text_config()
    # what is not computed by sdpa has its reasons, such as Gemma 2's soft caps
    plain = base.config._attn_implementation == "sdpa"
    layers = {*(getattr(config, "layer_types", None) or ["full_attention"])}
    windowed = getattr(config, "sliding_window", None) or layers != {"full_attention"}
    takes_rows = "logits_to_keep" in signature(base.forward).parameters
    if not (supported and plain and takes_rows) or windowed:
        return False
    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, lambda *_, **__: None)
    base.set_attn_implementation(_NAME)
    return True


def _attend(
    module: Any, *states: "torch.Tensor", position_ids: "torch.Tensor", **kwargs: Any
) -> tuple["torch.Tensor", None]:
    """sdpa by example; `states`: query, key, value, each [1, heads, tokens, size], and no mask."""
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    starts = (position_ids[0] == 0).nonzero()[:, 0].tolist()
    parts = []
    for start, end in pairwise([*starts, states[0].shape[2]]):
        q, k, v = (tensor[:, :, start:end] for tensor in states[:3])
        parts.append(sdpa_attention_forward(module, q, k, v, None, **kwargs)[0])
    return torch.cat(parts, dim=1), None


def collate_flattened(sequences: Sequence[PackedSequence], pad_id: int) -> dict[str, Any]:
    """Concatenate all sequences into one, [1, tokens], with logits only where a label is.

    A prompt's logits would be thrown away: they are a good third of all, and in a small model with
    a large vocabulary much of the work.
    """
    import torch

    examples = [example for sequence in sequences for example in sequence]
    length = max(1, sum(len(example.ids) for example in examples))
    batch = {name: part[None] for name, part in build_tensors(examples, length, pad_id).items()}
    targets = torch.nn.functional.pad(batch["labels"], (0, 1), value=IGNORE_INDEX)[:, 1:]
    kept = (targets[0] != IGNORE_INDEX).nonzero()[:, 0]
    return batch | {"logits_to_keep": kept, "shift_labels": targets[:, kept]}


def check_packing_leak(model: "PreTrainedModel | PeftModel") -> None:
    """Change one example of a packed sequence and compare the logits of the next one.

    Raises:
        BadInput: they change, or the model takes no position ids.
    """
    import torch

    model_name = f"checkpoint.packing: this model ({model.config.model_type})"
    was_training = model.training
    model.eval()
    with torch.no_grad():
        try:
            one, other = (_second_logits(model, start) for start in (10, 40))
        except TypeError as error:
            raise BadInput(f"{model_name} takes no position ids; set it to false") from error
    model.train(was_training)
    if (one - other).abs().max() > _NOISE * one.abs().max():
        raise BadInput(f"{model_name} lets packed examples see each other; set it to false")


def _second_logits(model: "PreTrainedModel | PeftModel", start: int) -> "torch.Tensor":
    """Logits of the second example, [tokens, vocabulary], after a first one made from `start`."""
    first = Example(list(range(start, start + _LENGTH)), 1, truncated=False)
    second = Example(list(range(70, 70 + _LENGTH)), 1, truncated=False)
    tensors = build_tensors([first, second], 2 * _LENGTH, 0)
    batch = {name: tensors[name][None].to(model.device) for name in ("input_ids", "position_ids")}
    logits: torch.Tensor = model(**batch, use_cache=False).logits[0, _LENGTH:]
    return logits.float()
