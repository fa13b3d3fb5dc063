"""The student before training: a LLaMA with random weights, or a pretrained model by revision."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.compute.pinned_model import explain_loading
from alpacare.core.errors import BadInput
from alpacare.training.settings import RANDOM, CheckpointSettings, StudentSettings

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import (
        PretrainedConfig,
        PreTrainedModel,
        PreTrainedTokenizerBase,
        PreTrainedTokenizerFast,
    )


PAD, BOS, EOS = "<pad>", "<s>", "</s>"


def _place(student: StudentSettings) -> str:
    return f"checkpoint.student.base: '{student.base}'"


@contextmanager
def _reading(student: StudentSettings, part: str, advice: str = "") -> Iterator[None]:
    """Say in one line that a file of a pretrained base cannot be read."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, SafetensorError) as error:
        problem = f"{part} cannot be read ({explain_loading(error)}){advice}"
        raise BadInput(_place(student) + problem) from error


def read_config(student: StudentSettings) -> "PretrainedConfig":
    """Read the configuration of a pretrained base, and check that its weights are safetensors.

    Raises:
        BadInput: no such model, revision or file; or it may not be read.
    """
    from transformers import AutoConfig

    folder = Path(student.base)
    if folder.is_dir() and not any(folder.glob("*.safetensors")):
        raise BadInput(
            f"{_place(student)}: no .safetensors in this folder (weights in pickle files can run "
            "code, and are not read); save them by model.save_pretrained"
        )
    advice = (
        "; check the name and the revision; a model behind a licence needs HF_TOKEN in the "
        "environment"
    )
    config: PretrainedConfig
    with _reading(student, "", advice):
        config = AutoConfig.from_pretrained(
            student.base, revision=student.revision, trust_remote_code=False
        )
    return config


def load_base_tokenizer(student: StudentSettings) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a pretrained base.

    Raises:
        BadInput: it has none, or none with an end of text.
    """
    from transformers import AutoTokenizer

    with _reading(student, ": its tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(
            student.base, revision=student.revision, trust_remote_code=False
        )
    if tokenizer.eos_token_id is None:
        raise BadInput(
            f"{_place(student)}: its tokenizer has no end-of-text token; no answer could end"
        )
    return tokenizer


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> "PreTrainedTokenizerFast":
    """Train a tokenizer with at most `vocab_size` entries; every byte is covered, so no <unk>."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS
    )


def load_student(
    settings: CheckpointSettings, tokenizer: "PreTrainedTokenizerBase"
) -> "PreTrainedModel | PeftModel":
    """Load the student for training: in float32, or with LoRA a frozen base and its adapters."""
    lora = settings.lora
    model = load_base(settings.student, tokenizer, frozen=lora is not None)
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
        revision=settings.student.revision,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def load_base(
    settings: StudentSettings, tokenizer: "PreTrainedTokenizerBase", frozen: bool = False
) -> "PreTrainedModel":
    """Load the untrained student: same settings and tokenizer, same weights.

    Trained weights are float32, whatever the arithmetic; `frozen` ones have the settings' dtype.

    Raises:
        BadInput: the weights cannot be read, or are no safetensors.
    """
    import torch
    from transformers import AutoModelForCausalLM

    if settings.base == RANDOM:
        return _random_llama(settings, tokenizer)
    with _reading(settings, ": its weights"):
        return AutoModelForCausalLM.from_pretrained(
            settings.base,
            revision=settings.revision,
            dtype=getattr(torch, settings.dtype) if frozen else torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
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
