"""The student before training: a pretrained model by revision, or a folder with one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.compute.pinned_model import (
    RANDOM,
    PinnedModel,
    check_base_model,
    explain_loading,
)
from alpacare.core.errors import BadInput
from alpacare.training.settings import CheckpointSettings

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import (
        PretrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
    )


def find_base(settings: CheckpointSettings, base_model: Path) -> PinnedModel:
    """Give the model that training starts from: for base `random` the folder `base_model`.

    Raises:
        BadInput: it is not made yet.
    """
    if settings.base == RANDOM:
        check_base_model(base_model)
        return PinnedModel(model=str(base_model), revision=None)
    return PinnedModel(model=settings.base, revision=settings.revision)


def _place(base: PinnedModel) -> str:
    return f"base: '{base.model}'"


@contextmanager
def _reading(base: PinnedModel, part: str, advice: str = "") -> Iterator[None]:
    """Say in one line that a file of a pretrained base cannot be read."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        problem = f"{part} cannot be read ({explain_loading(error)}){advice}"
        raise BadInput(_place(base) + problem) from error


def read_config(base: PinnedModel) -> "PretrainedConfig":
    """Read the configuration of a pretrained base, and check that its weights are safetensors.

    Raises:
        BadInput: no such model, revision or file; or it may not be read.
    """
    from transformers import AutoConfig

    folder = Path(base.model)
    if folder.is_dir() and not any(folder.glob("*.safetensors")):
        raise BadInput(
            f"{_place(base)}: no .safetensors in this folder (weights in pickle files can run "
            "code, and are not read); save them by model.save_pretrained"
        )
    advice = (
        "; check the name and the revision; a model behind a licence needs HF_TOKEN in the "
        "environment"
    )
    config: PretrainedConfig
    with _reading(base, "", advice):
        config = AutoConfig.from_pretrained(
            base.model, revision=base.revision, trust_remote_code=False
        )
    return config


def load_base_tokenizer(base: PinnedModel) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a pretrained base.

    Raises:
        BadInput: it has none, or none with an end of text.
    """
    from transformers import AutoTokenizer

    with _reading(base, ": its tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(
            base.model, revision=base.revision, trust_remote_code=False
        )
    if tokenizer.eos_token_id is None:
        raise BadInput(
            f"{_place(base)}: its tokenizer has no end-of-text token; no answer could end"
        )
    return tokenizer


def load_student(settings: CheckpointSettings, base: PinnedModel) -> "PreTrainedModel | PeftModel":
    """Load the student for training: in float32, or with LoRA a frozen base and its adapters."""
    lora = settings.lora
    model = load_base(base, settings.dtype if lora else None)
    if lora is None:
        return model
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


def load_base(base: PinnedModel, dtype: str | None = None) -> "PreTrainedModel":
    """Load the student before training.

    Weights that are trained are float32, whatever the arithmetic; frozen ones have `dtype`.

    Raises:
        BadInput: the weights cannot be read, or are no safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM

    with _reading(base, ": its weights"):
        return AutoModelForCausalLM.from_pretrained(
            base.model,
            revision=base.revision,
            dtype=getattr(torch, dtype or "float32"),
            use_safetensors=True,
            trust_remote_code=False,
            attn_implementation="sdpa",
        )
