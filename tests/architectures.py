"""Tiny models of many kinds, each as its configuration makes it."""

from typing import Any

import torch
import transformers

SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 64}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
LLAMA = {**SMALL, **HEADS, **ENDS}
NO_GROUPS = {**SMALL, **ENDS, "num_attention_heads": 4, "intermediate_size": 64}
GEMMA = {**LLAMA, "head_dim": 8}
WINDOWED = {"sliding_window": 24}
EYES = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip

# which keep packed examples apart
APART: dict[str, dict[str, Any]] = {
    "Llama": LLAMA,
    "Mistral": {**LLAMA, **WINDOWED},
    "Mixtral": {**LLAMA, "num_local_experts": 2, "num_experts_per_tok": 2},
    "Qwen2": LLAMA,
    "Qwen3": GEMMA,
    "Gemma": GEMMA,
    "Gemma2": {**GEMMA, **WINDOWED},
    "Gemma3Text": {**GEMMA, **WINDOWED},
    "Gemma3": {"text_config": {**GEMMA, **WINDOWED}, "vision_config": EYES},
    "Phi": NO_GROUPS,
    "Phi3": LLAMA,
    "Olmo2": LLAMA,
    "GPTNeoX": NO_GROUPS,
    "SmolLM3": LLAMA,
    "Granite": LLAMA,
    "GPT2": {"vocab_size": 300, "n_embd": 32, "n_layer": 2, "n_head": 4, **ENDS},
}
# and which do not: they are trained with packing: false
LEAKS: dict[str, dict[str, Any]] = {
    "OPT": {**SMALL, **ENDS, "num_attention_heads": 2, "ffn_dim": 64, "word_embed_proj_dim": 32},
    "Mamba": {**SMALL, **ENDS, "state_size": 4},
    "Bloom": {"vocab_size": 300, "hidden_size": 32, "n_layer": 2, "n_head": 2, **ENDS},
    "Falcon": {**SMALL, **ENDS, "num_attention_heads": 4},
}


def build(kind: str) -> Any:
    """Make a model with random weights, the same each time."""
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(**(APART | LEAKS)[kind])
    return transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False).eval()
