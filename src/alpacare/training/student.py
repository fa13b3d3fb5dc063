"""The student before training: a LLaMA made from nothing, or pretrained weights by revision."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from alpacare.settings import Settings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RANDOM = "random"


class Architecture(Settings):
    """The size of a LLaMA made from nothing."""

    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    vocab_size: int = Field(ge=300)
    context: int = Field(gt=0)


class StudentSettings(Settings):
    """Which model training starts from; `architecture` counts only for base `random`."""

    base: str
    revision: str | None
    architecture: Architecture
    dtype: Literal["float32", "bfloat16"]
    seed: int

    @model_validator(mode="after")
    def _pinned(self) -> "StudentSettings":
        """A Hub id without a revision names other weights tomorrow; a local folder has none."""
        if self.base.count("/") == 1 and not self.base.startswith(".") and not self.revision:
            raise ValueError("a Hub model needs 'revision', a 40-hex commit")
        return self


def load_student(
    settings: StudentSettings, tokenizer: "PreTrainedTokenizerBase"
) -> "PreTrainedModel":
    """Give the untrained student: same settings and tokenizer, same weights."""
    import torch
    from transformers import AutoModelForCausalLM

    if settings.base == RANDOM:
        return _random_llama(settings, tokenizer)
    return AutoModelForCausalLM.from_pretrained(
        settings.base,
        revision=settings.revision,
        dtype=getattr(torch, settings.dtype),
        use_safetensors=True,
        attn_implementation="sdpa",
    )


def _random_llama(
    settings: StudentSettings, tokenizer: "PreTrainedTokenizerBase"
) -> "PreTrainedModel":
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = settings.architecture
    config = LlamaConfig(
        hidden_size=shape.hidden_size,
        intermediate_size=shape.hidden_size * 8 // 3,  # LLaMA's SwiGLU width (Touvron 2023, 2.2)
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
    return LlamaForCausalLM(config).to(getattr(torch, settings.dtype))  # type: ignore[no-any-return]
