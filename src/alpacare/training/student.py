"""The student before training: a pretrained model by revision, or a folder with one."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alpacare.compute import pretrained, weights
from alpacare.compute.pinned_model import PinnedModel
from alpacare.compute.pretrained import ModelSource
from alpacare.core.errors import BadInput
from alpacare.prompting.chat_template import render_chat
from alpacare.prompting.student_prompt import Form
from alpacare.training.settings import CheckpointSettings

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import (
        PretrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )


def _source(base: PinnedModel) -> ModelSource:
    return ModelSource(base.model, base.revision)


@contextmanager
def _key() -> Iterator[None]:
    """Name the setting whose value is at fault."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"base: {error}") from error


def read_config(base: PinnedModel) -> "PretrainedConfig":
    """Read the configuration of a pretrained base.

    Raises:
        BadInput: as `compute.pretrained.read_config`.
    """
    with _key():
        return pretrained.read_config(_source(base))


def check_base(base: PinnedModel, prompt: Form) -> "PretrainedConfig":
    """Check all of a base that can be checked without its weights; give its configuration.

    Raises:
        BadInput: it cannot be read, its parts do not belong together, or `prompt` is `chat` and it
            has no chat template that shows a question.
    """
    config = read_config(base)
    if getattr(config, "quantization_config", None):
        raise BadInput(
            f"base: {base.model}: its weights are quantised, and such weights are not trained; "
            "name the model that they were made from"
        )
    tokenizer = load_base_tokenizer(base)
    with _key():
        weights.check_weights(_source(base), config)
        pretrained.check_embedding(_source(base), tokenizer, config)
    if prompt == "chat":
        render_chat(tokenizer, "Which bone is the longest?")
    return config


def load_base_tokenizer(base: PinnedModel) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a pretrained base.

    Raises:
        BadInput: it has none, or none with an end of text.
    """
    with _key():
        tokenizer = pretrained.read_tokenizer(_source(base))
    if tokenizer.eos_token_id is None:
        raise BadInput(
            f"base: {base.model}: its tokenizer has no end-of-text token; no answer could end"
        )
    return tokenizer


def make_id_check(
    base: PinnedModel, tokenizer: "PreTrainedTokenizerBase", rows: Path
) -> Callable[[Sequence[int], str], None]:
    """Give what raises BadInput for a row, by its id, with a token that the base does not know."""
    check = partial(pretrained.check_ids, _source(base), tokenizer, read_config(base))
    return lambda ids, id: check(ids, f"{rows}: row {id}")


def load_student(settings: CheckpointSettings, base: PinnedModel) -> "PreTrainedModel | PeftModel":
    """Load the student for training: in float32, or with LoRA a frozen base and its adapters."""
    lora = settings.lora
    if lora is None:
        return load_base(base)
    model = load_frozen(settings, base)
    from peft import LoraConfig, get_peft_model

    # else gradient checkpointing would cut the adapters off from the loss
    model.enable_input_require_grads()  # type: ignore[no-untyped-call]
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        revision=base.revision,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def load_frozen(settings: CheckpointSettings, base: PinnedModel) -> "PreTrainedModel":
    """Load the base under adapters: in `dtype`, or with `lora.quantize` its layers in 4 bits."""
    if not (settings.lora and settings.lora.quantize):
        return load_base(base, settings.dtype)
    import torch
    from transformers import BitsAndBytesConfig

    packed = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type=settings.lora.quantize,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, settings.dtype),
    )
    device = torch.cuda.current_device() if torch.cuda.is_available() else "cpu"
    return load_base(base, settings.dtype, quantization_config=packed, device_map={"": device})


def load_merging(settings: CheckpointSettings, base: PinnedModel) -> "PreTrainedModel":
    """Load the base that adapters are merged into: in 4 bits, its layers as they were trained on.

    Merged into the layers before they were rounded, adapters would give another model than the one
    that was trained.
    """
    model = load_frozen(settings, base)
    if settings.lora and settings.lora.quantize:
        model = model.dequantize()  # type: ignore[no-untyped-call]
    return model.cpu()


def load_base(base: PinnedModel, dtype: str | None = None, **options: Any) -> "PreTrainedModel":
    """Load the student before training.

    Weights that are trained are float32, whatever the arithmetic; frozen ones have `dtype`.

    Raises:
        BadInput: the weights cannot be read, or are not those of its configuration.
    """
    with _key():
        return weights.read_weights(_source(base), dtype or "float32", **options)
