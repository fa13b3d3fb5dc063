"""How likely a model is to continue with each of a few texts, after prompts that are read once."""

from collections.abc import Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.generation.batched import pad_left

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, PretrainedConfig, PreTrainedModel

Prompt = tuple[int, ...]  # token ids


def check_attention(config: "PretrainedConfig", name: str) -> None:
    """Check that several tokens at once can follow a prompt's cached keys and values.

    Raises:
        BadInput: a model with a state takes one token at a time.
    """
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    layers = DynamicCache(config=config.get_text_config()).layers
    if any(type(layer) not in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers):
        raise BadInput(
            f"{name}: a {config.model_type} model has layers with a state, which kind loglik "
            "cannot score with; choose one with attention in every layer"
        )


def score_batch(
    model: "PreTrainedModel",
    prompts: Sequence[Prompt],
    labels: Sequence[Sequence[int]],
    pad_id: int,
) -> list[list[float]]:
    """Give the log-likelihood in nats of each label after each prompt; one list for each prompt.

    The prompts are read once, with padding before them. All first tokens are scored there, and
    the others on as many copies of the keys and values as there are labels with more.
    """
    import torch

    ids, mask = pad_left(prompts, pad_id, model.device)
    with torch.inference_mode():
        output = _read(model, ids, mask, logits_to_keep=1)
        scores = output.logits[:, -1].float().log_softmax(-1)[:, [label[0] for label in labels]]
        long = [place for place, label in enumerate(labels) if len(label) > 1]
        if long:
            rest = [labels[place] for place in long]
            scores[:, long] += _score_rest(model, output.past_key_values, mask, rest, pad_id)
    rows: list[list[float]] = scores.tolist()
    return rows


def _score_rest(
    model: "PreTrainedModel",
    cache: "DynamicCache",
    mask: "torch.Tensor",
    labels: Sequence[Sequence[int]],
    pad_id: int,
) -> "torch.Tensor":
    """Score what follows the labels' first tokens, [prompts, labels]; `cache` is used up."""
    import torch

    rows, most = len(mask), max(map(len, labels))
    # padding follows a shorter label, so that its tokens cannot see it
    padded = torch.tensor([[*label] + [pad_id] * (most - len(label)) for label in labels] * rows)
    padded = padded.to(mask.device)
    real = [[place < len(label) for place in range(1, most)] for label in labels] * rows
    cache.batch_repeat_interleave(len(labels))
    mask = mask.repeat_interleave(len(labels), dim=0)
    mask = torch.nn.functional.pad(mask, (0, most - 1), value=1)
    output = _read(model, padded[:, :-1], mask, past_key_values=cache)
    logprobs = output.logits.float().log_softmax(-1)
    chosen = logprobs.gather(-1, padded[:, 1:, None])[..., 0]
    chosen = chosen.where(torch.tensor(real, device=mask.device), 0.0)
    scores: torch.Tensor = chosen.sum(-1).view(rows, len(labels))
    return scores


def _read(model: "PreTrainedModel", ids: "torch.Tensor", mask: "torch.Tensor", **more: Any) -> Any:
    """Run the model on new tokens; `mask` covers what is in the cache too."""
    positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
    optional = {"position_ids": positions, **more}
    known = signature(model.forward).parameters
    return model(
        input_ids=ids,
        attention_mask=mask,
        use_cache=True,
        **{name: value for name, value in optional.items() if name in known},
    )
