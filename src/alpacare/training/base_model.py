"""A base model made from nothing: a tokenizer of the training text, and random weights."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.settings import BaseModelSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

PAD, BOS, EOS = "<pad>", "<s>", "</s>"


def save_base_model(
    folder: Path, rows: Sequence[Response], prompt: StudentPrompt, settings: BaseModelSettings
) -> None:
    """Make tokenizer and first weights, and save both. Same rows and settings: same bytes."""
    prompts = (prompt.fill(row.instruction, row.input) for row in rows)
    texts = chain(prompts, (row.output for row in rows))
    tokenizer = train_tokenizer(texts, settings.architecture.vocab_size)
    random_llama(settings, tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


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


def random_llama(
    settings: BaseModelSettings, tokenizer: "PreTrainedTokenizerBase"
) -> "PreTrainedModel":
    """Draw a LLaMA's weights; it has as many tokens as the tokenizer."""
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
        # wider than transformers' 0.02, from which narrow models learn slowly
        initializer_range=0.5 / shape.hidden_size**0.5,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(settings.seed)
    return LlamaForCausalLM(config)
