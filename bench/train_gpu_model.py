"""The model that bench/train_gpu.py trains, and a Trainer that writes none of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import train_gpu_kernels

from alpacare.training.memory_estimate import ModelShape
from alpacare.training.settings import CheckpointSettings


def make_model(shape: ModelShape, settings: CheckpointSettings, varlen: bool = False) -> Any:
    """Random weights, made where they are trained: float32, or frozen under adapters."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        vocab_size=shape.vocab_size,
        max_position_embeddings=2048,
    )
    dtype = getattr(torch, settings.dtype) if settings.lora else torch.float32
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        if varlen:
            return train_gpu_kernels.make_model(config, getattr(torch, settings.dtype))
        model = AutoModelForCausalLM.from_config(
            config, dtype=dtype, attn_implementation="sdpa", trust_remote_code=False
        )
    if settings.lora is None:
        return model
    from peft import LoraConfig, get_peft_model

    lora = settings.lora
    model.enable_input_require_grads()
    adapters = LoraConfig(r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout,
        target_modules=lora.targets, task_type="CAUSAL_LM")  # fmt: skip
    return get_peft_model(model, adapters)


@contextmanager
def no_weights_written() -> Iterator[None]:
    """Keep Trainer from writing weights at its end: 81 GB that nobody reads."""
    from transformers import Trainer

    original = Trainer._save_checkpoint

    def make_folder(self: Any, *_: Any) -> None:
        (Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}").mkdir()

    Trainer._save_checkpoint = make_folder
    try:
        yield
    finally:
        Trainer._save_checkpoint = original
