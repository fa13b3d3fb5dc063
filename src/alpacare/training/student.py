"""The student before training: a LLaMA made from nothing, or pretrained weights by revision."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from alpacare.compute.pinned_model import check_pinned
from alpacare.compute.workers import first_line
from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

    from alpacare.training.settings import CheckpointSettings

RANDOM = "random"


class Architecture(Settings):
    """The size of a LLaMA made from nothing."""

    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    vocab_size: int = Field(ge=300)
    context: int = Field(gt=0)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(
                f"hidden_size {self.hidden_size} is no even multiple of heads {self.heads}"
            )
        return self

    @property
    def intermediate_size(self) -> int:
        """LLaMA's SwiGLU width (Touvron et al. 2023, arXiv 2302.13971, section 2.2)."""
        return self.hidden_size * 8 // 3


class StudentSettings(Settings):
    """Which model training starts from; `architecture` counts only for base `random`."""

    base: str
    revision: str | None
    architecture: Architecture
    dtype: Literal["float32", "bfloat16"]
    seed: int

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.base != RANDOM:
            check_pinned(self.base, self.revision)
        return self


def read_config(student: StudentSettings) -> "PretrainedConfig":
    """Read the description of a pretrained base, and see that its weights are safetensors.

    Raises:
        BadInput: no such model, revision or file; or it may not be read.
    """
    from transformers import AutoConfig

    place = f"checkpoint.student.base: '{student.base}'"
    folder = Path(student.base)
    if folder.is_dir() and not any(folder.glob("*.safetensors")):
        raise BadInput(
            f"{place}: no .safetensors in this folder (weights in pickle files can run code, and "
            "are not read); save them by model.save_pretrained"
        )
    try:
        config: PretrainedConfig = AutoConfig.from_pretrained(
            student.base, revision=student.revision
        )
    except (OSError, ValueError) as error:
        raise BadInput(
            f"{place} cannot be read ({first_line(error)}); check the name and the revision; "
            "a model behind a licence needs HF_TOKEN in the environment"
        ) from error
    return config


def load_tokenizer(student: StudentSettings) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a pretrained base.

    Raises:
        BadInput: it has none, or none with an end of text.
    """
    from transformers import AutoTokenizer

    place = f"checkpoint.student.base: '{student.base}'"
    try:
        tokenizer = AutoTokenizer.from_pretrained(student.base, revision=student.revision)
    except (OSError, ValueError) as error:
        raise BadInput(f"{place}: its tokenizer cannot be read ({first_line(error)})") from error
    if tokenizer.eos_token_id is None:
        raise BadInput(f"{place}: its tokenizer has no end-of-text token; no answer could end")
    return tokenizer


def load_student(
    settings: "CheckpointSettings", tokenizer: "PreTrainedTokenizerBase"
) -> "PreTrainedModel | PeftModel":
    """Give the student as training takes it: float32, or with LoRA a frozen base and adapters."""
    model = load_base(settings.student, tokenizer, frozen=settings.lora is not None)
    if settings.lora is None:
        return model
    from peft import LoraConfig, get_peft_model

    lora = settings.lora
    # gradient checkpointing would else cut the adapters off
    model.enable_input_require_grads()  # type: ignore[no-untyped-call]
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=lora.targets,
        revision=settings.student.revision,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def load_base(
    settings: StudentSettings, tokenizer: "PreTrainedTokenizerBase", frozen: bool = False
) -> "PreTrainedModel":
    """Give the untrained student: same settings and tokenizer, same weights.

    What is trained is float32, whatever the arithmetic; `frozen` weights have the settings' dtype.

    Raises:
        BadInput: the weights cannot be read, or are no safetensors.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    if settings.base == RANDOM:
        return _random_llama(settings, tokenizer)
    try:
        return AutoModelForCausalLM.from_pretrained(
            settings.base,
            revision=settings.revision,
            dtype=getattr(torch, settings.dtype) if frozen else torch.float32,
            use_safetensors=True,
            attn_implementation="sdpa",
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BadInput(
            f"checkpoint.student.base: '{settings.base}': its weights cannot be read "
            f"({first_line(error)})"
        ) from error


def _random_llama(
    settings: StudentSettings, tokenizer: "PreTrainedTokenizerBase"
) -> "PreTrainedModel":
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = settings.architecture
    config = LlamaConfig(
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        vocab_size=len(tokenizer),
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(settings.seed)
    return LlamaForCausalLM(config)
