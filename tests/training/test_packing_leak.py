"""The check of a model before packed training: which kinds keep examples apart."""

from typing import Any

import pytest
import transformers

from alpacare.core.errors import BadInput
from alpacare.training.attention import check_packing_leak
from alpacare.training.student import load_student
from students import BASE, make_settings

SMALL = {"vocab_size": 320, "hidden_size": 32, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 64}
LORA = {"rank": 4, "alpha": 8, "dropout": 0.5, "targets": "all-linear"}


def model(kind: str, **sizes: Any) -> Any:
    config = getattr(transformers, f"{kind}Config")(**sizes)
    return transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False)


@pytest.mark.parametrize("kind", ["Mistral", "Qwen2"])
def test_llama_like_models_keep_examples_apart(kind: str) -> None:
    check_packing_leak(model(kind, **SMALL, **HEADS))


def test_adapters_change_nothing_and_training_stays_on() -> None:
    student = load_student(make_settings(lora=LORA), BASE).train()
    check_packing_leak(student)
    assert student.training


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("OPT", {**SMALL, "num_attention_heads": 2, "ffn_dim": 64, "word_embed_proj_dim": 32}),
        ("Mamba", {**SMALL, "state_size": 4}),
        ("Bloom", {"vocab_size": 320, "hidden_size": 32, "n_layer": 2, "n_head": 2}),
    ],
)
def test_a_model_that_leaks_is_refused(kind: str, sizes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=f"{kind.lower()}.*set it to false"):
        check_packing_leak(model(kind, **sizes))
