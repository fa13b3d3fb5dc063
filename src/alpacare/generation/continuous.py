"""Engine `continuous`: transformers' continuous batching, where a new row replaces an ended one.

Rows share a batch as they come and go, so in bfloat16 an answer may differ between runs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from alpacare.compute.machine import device_name
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.generation.settings import Decoding

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_PAGE = 16  # tokens in the cache's unit


def check_device() -> None:
    """Refuse a machine on which the other engine is faster.

    Raises:
        BadInput: there is no GPU.
    """
    if device_name() == "cpu":
        raise BadInput(
            "generations.engines: continuous is for GPUs, and torch finds none; on a CPU "
            "engines: [batched] gives the same answers several times as fast"
        )


def attention_name() -> str:
    """Name an attention other than flash attention, the default where a machine has it."""
    # the second before transformers 5.21
    return "sdpa" if "auto_switch_to_flash" in _option_names() else "paged|sdpa"


def answer_stream(
    model: "PreTrainedModel", prompts: Mapping[int, list[int]], decoding: Decoding
) -> Iterator[tuple[int, list[int]]]:
    """Yield (position, new token ids) as each answer ends.

    Raises:
        BadInput: a prompt and its answer do not fit into the cache; the engine failed.
    """
    from transformers import ContinuousBatchingConfig

    settings = decoding.settings
    longest = max(map(len, prompts.values())) + settings.max_new_tokens
    if longest > settings.cache_tokens:
        raise BadInput(
            f"generations.cache_tokens: {settings.cache_tokens} hold no prompt and answer "
            f"of {longest} tokens; raise it"
        )
    known = _option_names()
    options: dict[str, Any] = {
        "page_size" if "page_size" in known else "block_size": _PAGE,
        "num_blocks": -(-settings.cache_tokens // _PAGE),
        "max_batch_tokens": settings.step_tokens,
        "auto_switch_to_flash": False,
    }
    cache = ContinuousBatchingConfig(**{k: v for k, v in options.items() if k in known})
    with model.continuous_batching_context_manager(  # type: ignore[operator]
        generation_config=decoding.config(settings.max_new_tokens), continuous_batching_config=cache
    ) as manager:
        try:
            yield from _collect(manager, prompts)
        except BaseException:  # else it would answer all the others first, and throw them away
            manager.stop(hard_stop=True)
            raise


def _option_names() -> set[str]:
    """The options of this version of transformers."""
    from transformers import ContinuousBatchingConfig

    return {field.name for field in fields(ContinuousBatchingConfig)}


def _collect(manager: Any, prompts: Mapping[int, list[int]]) -> Iterator[tuple[int, list[int]]]:
    names = {f"row-{position}": position for position in prompts}
    for name, position in names.items():
        manager.add_request(prompts[position], request_id=name)
    waiting = set(names)
    while waiting:
        result = manager.get_result(timeout=1)
        if result is None:
            if not manager.is_running():
                raise BadInput(
                    f"engine 'continuous' ended with {counted(len(waiting), 'prompt')} to answer"
                )
        elif result.error:
            raise BadInput(
                f"engine 'continuous' failed: {result.error}; if it lacks memory, lower "
                "generations.cache_tokens"
            )
        elif result.is_finished():
            waiting.discard(result.request_id)
            yield names[result.request_id], list(result.generated_tokens)
