"""Models of many kinds as students: loaded whole or refused, and trained as they are alone."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from architectures import APART, LEAKS, build
from safetensors.torch import load_file, save_file

from alpacare.compute.pretrained import ModelSource, read_config
from alpacare.compute.weights import check_weights, read_weights
from alpacare.core.errors import BadInput
from alpacare.training.attention import (
    check_packing_leak,
    collate_flattened,
    use_padding_free_attention,
)
from alpacare.training.data import collate_padded
from alpacare.training.packing import Example
from alpacare.training.student import load_student
from students import BASE, TOKENIZER, make_settings

DRAW = torch.Generator().manual_seed(1)
EXAMPLES = [
    Example(torch.randint(30, 300, (length,), generator=DRAW).tolist(), length // 2, False)
    for length in (40, 30, 35)
]
LORA = {"rank": 4, "alpha": 8, "dropout": 0.5, "targets": "all-linear"}
# these have windows, caps or arithmetic of their own, which attention by example would leave out
AS_THEY_ARE = {"Mistral", "Gemma2", "Gemma3Text", "Gemma3"}


def save(kind: str, folder: Path) -> Path:
    """A model as a user would have it."""
    build(kind).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return folder


def loss_of(model: Any, batch: dict[str, Any]) -> float:
    with torch.no_grad():
        return float(model(**batch, use_cache=False).loss)


def loss_alone(model: Any) -> float:
    """The mean loss over the response tokens of examples that are read one by one."""
    total, tokens = 0.0, 0
    for example in EXAMPLES:
        ids = torch.tensor([example.ids])
        labels = ids.clone()
        labels[:, : example.prompt_length] = -100
        count = len(example.ids) - example.prompt_length
        total += count * loss_of(model, {"input_ids": ids, "labels": labels})
        tokens += count
    return total / tokens


@pytest.mark.parametrize("kind", [*APART, *LEAKS])
def test_a_saved_model_is_trained_as_it_is_alone_or_refused(kind: str, tmp_path: Path) -> None:
    source = ModelSource(str(save(kind, tmp_path / "saved")))
    check_weights(source, read_config(source))
    model = read_weights(source, "float32").eval()
    ids = torch.tensor([EXAMPLES[0].ids])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, build(kind)(ids).logits)
    if kind in LEAKS:
        with pytest.raises(BadInput, match=f"{kind.lower()}.*set it to false"):
            check_packing_leak(model)
        return
    check_packing_leak(model)
    alone = loss_alone(model)
    assert loss_of(model, collate_padded([EXAMPLES], 128, 0)) == pytest.approx(alone, abs=1e-5)
    assert use_padding_free_attention(model) == (kind not in AS_THEY_ARE)
    if kind not in AS_THEY_ARE:
        check_packing_leak(model)
        assert loss_of(model, collate_flattened([EXAMPLES], 0)) == pytest.approx(alone, abs=1e-5)


Weights = dict[str, torch.Tensor]


def without_one(weights: Weights, lost: str) -> Weights:
    return {name: weight for name, weight in weights.items() if name != lost}


def prefixed(weights: Weights, _: str) -> Weights:
    return {f"base_model.model.{name}": weight for name, weight in weights.items()}


def enlarged(weights: Weights, name: str) -> Weights:
    return {**weights, name: torch.cat([weights[name]] * 2)}


def with_another(weights: Weights, name: str) -> Weights:
    return {**weights, "score.weight": weights[name].clone()}


def with_a_bias(weights: Weights, name: str) -> Weights:
    return {**weights, "model.layers.0.mlp.odd.bias": weights[name].clone()}


@pytest.mark.parametrize("kind", ["Llama", "Mixtral", "Gemma3", "GPT2", "Mamba"])
def test_weights_that_do_not_all_load_are_named(kind: str, tmp_path: Path) -> None:
    folder = save(kind, tmp_path / "saved")
    file, source = folder / "model.safetensors", ModelSource(str(folder))
    weights = load_file(file)
    name = next(name for name in weights if ".0." in name and weights[name].ndim == 1)
    for change, message in (
        (without_one, f"missing: 1, first .*{name.rpartition('.0.')[2]}"),
        (prefixed, r"missing: \d+, first .*, .*, .*names such as base_model"),
        (enlarged, f"another size: 1, first .*{name.rpartition('.0.')[2]}"),
        (with_another, "too many: 1, first score.weight"),
        (with_a_bias, "too many: 1, first model.layers.0.mlp.odd.bias"),
    ):
        save_file(change(weights, name), file, {"format": "pt"})
        with pytest.raises(BadInput, match=message):
            check_weights(source, read_config(source))
        with pytest.raises(BadInput, match=message):
            read_weights(source, "float32")


@pytest.mark.parametrize("name", ["rotary_emb.inv_freq", "attn.masked_bias", "position_ids"])
def test_masks_that_older_versions_saved_are_no_weights(name: str, tmp_path: Path) -> None:
    file, source = save("Llama", tmp_path) / "model.safetensors", ModelSource(str(tmp_path))
    buffer = {f"model.layers.0.{name}": torch.ones(4)}
    save_file({**load_file(file), **buffer}, file, {"format": "pt"})
    check_weights(source, read_config(source))


def test_a_shard_that_is_missing_and_an_adapter_that_is_not_merged(tmp_path: Path) -> None:
    model, source = build("Llama"), ModelSource(str(tmp_path))
    model.save_pretrained(tmp_path, max_shard_size="60KB")
    check_weights(source, read_config(source))
    shards = sorted(tmp_path.glob("*.safetensors"))
    shards[1].rename(tmp_path / "away")
    with pytest.raises(BadInput, match=f"weights cannot be read .*{shards[1].name}"):
        check_weights(source, read_config(source))
    (tmp_path / "away").rename(shards[1])
    first = load_file(shards[0])
    name, weight = next(iter(first.items()))
    adapter = {name.replace("weight", "lora_A.weight"): weight.clone()}
    save_file({**first, **adapter}, shards[0], {"format": "pt"})
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert len(index["weight_map"]) > 20
    with pytest.raises(BadInput, match=r"too many: 1, .*an adapter's, not merged"):
        check_weights(source, read_config(source))


def test_adapters_change_nothing_and_training_stays_on() -> None:
    student = load_student(make_settings(lora=LORA), BASE).train()
    check_packing_leak(student)
    assert student.training
