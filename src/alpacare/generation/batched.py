"""Engine `batched`: transformers' generate on left-padded prompts of similar length."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alpacare.generation.sampling import make_sampler
from alpacare.generation.settings import GenerationsSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def plan(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """Cut the prompts into batches of similar length: little padding, the same in every run.

    Longest first, so that a batch too large for the memory shows at once. Returns positions.
    """
    order = sorted(range(len(lengths)), key=lambda p: (-lengths[p], p))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def answer_batch(
    model: "PreTrainedModel",
    prompts: Sequence[list[int]],
    seeds: Sequence[int],
    settings: GenerationsSettings,
    ends: list[int],
    pad: int,
) -> list[list[int]]:
    """Answer prompts together: new token ids by row, what follows an end of text included."""
    import torch
    from transformers import GenerationConfig

    width = max(len(prompt) for prompt in prompts)
    ids = [[pad] * (width - len(prompt)) + prompt for prompt in prompts]
    mask = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
    most = settings.max_new_tokens
    sampler = (
        [make_sampler(seeds, width, most, settings.temperature, settings.top_p)]
        if settings.temperature
        else []
    )
    config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=most, do_sample=False, pad_token_id=pad, eos_token_id=ends or None
    )
    with torch.inference_mode():
        output: Any = model.generate(  # type: ignore[operator]
            input_ids=torch.tensor(ids, device=model.device),
            attention_mask=torch.tensor(mask, device=model.device),
            generation_config=config,
            logits_processor=sampler,
        )
    return [row[width:] for row in output.tolist()]
