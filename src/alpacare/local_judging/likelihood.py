"""How likely a model is to go on with each of a few texts, after prompts that are read once."""

from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PreTrainedModel

Prompt = tuple[int, ...]  # token ids


def check_attention(model: "PreTrainedModel", name: str) -> None:
    """See that a prompt's keys and values can be gone on with by several tokens at once.

    Raises:
        BadInput: it is a model with a state, which takes one token at a time.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    layers = DynamicCache(config=model.config.get_text_config()).layers
    if any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        raise BadInput(
            f"{name}: a {model.config.model_type} model has layers with a state, which kind loglik "
            "cannot score with; choose one with attention in every layer"
        )


def score_batch(
    model: "PreTrainedModel",
    prompts: Sequence[Prompt],
    labels: Sequence[Sequence[int]],
    pad: int,
) -> list[list[float]]:
    """Give the log-likelihood in nats of each label after each prompt; a list a prompt.

    The prompts are read once, with padding before them. All first tokens are scored there, and
    the others on as many copies of the keys and values as there are labels with more.
    """
    import torch

    width = max(map(len, prompts))
    ids = [[pad] * (width - len(prompt)) + [*prompt] for prompt in prompts]
    kept = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    mask = torch.tensor(kept, device=model.device)
    with torch.inference_mode():
        output = _read(model, ids, mask, logits_to_keep=1)
        scores = output.logits[:, -1].float().log_softmax(-1)[:, [label[0] for label in labels]]
        long = [place for place, label in enumerate(labels) if len(label) > 1]
        if long:
            rest = [labels[place] for place in long]
            scores[:, long] += _score_rest(model, output.past_key_values, mask, rest, pad)
    rows: list[list[float]] = scores.tolist()
    return rows


def _score_rest(
    model: "PreTrainedModel",
    cache: "DynamicCache",
    mask: "torch.Tensor",
    labels: Sequence[Sequence[int]],
    pad: int,
) -> "torch.Tensor":
    """Score what follows the labels' first tokens, [prompts, labels]; `cache` is used up."""
    import torch

    rows, most = len(mask), max(map(len, labels))
    # behind a shorter label there is padding, which comes too late to be seen by its tokens
    filled = [[*label] + [pad] * (most - len(label)) for label in labels] * rows
    real = [[place < len(label) for place in range(1, most)] for label in labels] * rows
    cache.batch_repeat_interleave(len(labels))
    mask = mask.repeat_interleave(len(labels), dim=0)
    mask = torch.nn.functional.pad(mask, (0, most - 1), value=1)
    given = [ids[:-1] for ids in filled]
    chances = _read(model, given, mask, past_key_values=cache).logits.float().log_softmax(-1)
    following = torch.tensor([ids[1:] for ids in filled], device=mask.device)
    found = chances.gather(-1, following[..., None])[..., 0]
    found = found.where(torch.tensor(real, device=mask.device), 0.0)
    scores: torch.Tensor = found.sum(-1).view(rows, len(labels))
    return scores


def _read(
    model: "PreTrainedModel", ids: Sequence[Sequence[int]], mask: "torch.Tensor", **more: Any
) -> Any:
    """Run the model on new tokens; `mask` covers what is in the cache too."""
    import torch

    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -len(ids[0]) :]
    offered = {"position_ids": positions, **more}
    takes = signature(model.forward).parameters
    return model(
        input_ids=torch.tensor(ids, device=model.device),
        attention_mask=mask,
        use_cache=True,
        **{name: value for name, value in offered.items() if name in takes},
    )
