"""What a run needs: tensors are counted where they can be."""

import contextlib
from dataclasses import replace
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from alpacare.core.errors import BadInput
from alpacare.training.memory_check import check_fits
from alpacare.training.memory_estimate import (
    LLAMA_7B,
    LLAMA_13B,
    DType,
    MemoryEstimate,
    ModelShape,
    count_adapter_parameters,
    count_parameters,
    estimate_memory,
    flops_per_token,
)

TINY = ModelShape(64, 2, 4, 2, 16, 172, 320, tied=True)
PLAIN = {"micro_batch_size": 8, "seq_length": 1024, "dtype": "bfloat16"}


def config(shape: ModelShape) -> LlamaConfig:
    return LlamaConfig(
        hidden_size=shape.hidden_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_size,
        intermediate_size=shape.intermediate_size,
        vocab_size=shape.vocab_size,
        tie_word_embeddings=shape.tied,
        use_cache=False,
    )


@pytest.mark.parametrize("shape", [LLAMA_7B, LLAMA_13B, TINY, replace(TINY, tied=False)])
def test_the_count_of_weights_is_exact(shape: ModelShape) -> None:
    with torch.device("meta"):
        model = LlamaForCausalLM(config(shape))
    assert ModelShape.from_config(model.config) == shape
    assert count_parameters(shape) == sum(weight.numel() for weight in model.parameters())


def test_the_published_sizes_are_the_known_ones() -> None:
    assert (count_parameters(LLAMA_7B), count_parameters(LLAMA_13B)) == (
        6_738_415_616,
        13_015_864_320,
    )


def test_a_configuration_without_heads_is_named() -> None:
    with pytest.raises(BadInput, match="no 'num_attention_heads'"):
        ModelShape.from_config(type("Config", (), {"hidden_size": 8})())


@pytest.mark.parametrize("targets", ["all-linear", ["q_proj", "v_proj"], ["down_proj"]])
def test_the_count_of_adapter_weights_is_exact(targets: Any) -> None:
    peft = pytest.importorskip("peft")
    lora = peft.LoraConfig(r=8, target_modules=targets, task_type="CAUSAL_LM")
    with torch.device("meta"):
        model = peft.get_peft_model(LlamaForCausalLM(config(TINY)), lora)
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    assert count_adapter_parameters(TINY, 8, targets) == trained


def test_an_unknown_target_is_named_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"lora\.targets: no 'query' in the student; known: q_proj"):
        estimate_memory(
            TINY,
            micro_batch_size=1,
            seq_length=8,
            dtype="float32",
            lora_rank=8,
            lora_targets=["query"],
        )


def test_full_training_is_sixteen_bytes_a_weight_and_activations() -> None:
    for shape, billions in ((LLAMA_7B, 107.8), (LLAMA_13B, 208.3)):
        need = estimate_memory(shape, **PLAIN)  # type: ignore[arg-type]
        fixed = need.weights + need.optimizer + need.gradients
        assert fixed == 16 * count_parameters(shape)
        assert round(fixed / 1e9, 1) == billions
        assert need.checkpoint == 12 * count_parameters(shape)


def test_eight_bits_and_shards_divide_what_they_should() -> None:
    full = estimate_memory(LLAMA_7B, **PLAIN)  # type: ignore[arg-type]
    small = estimate_memory(LLAMA_7B, **PLAIN, optimizer="adamw_8bit")  # type: ignore[arg-type]
    assert 0.25 < small.optimizer / full.optimizer < 0.28
    parts = estimate_memory(LLAMA_7B, **PLAIN, processes=4, sharded=True)  # type: ignore[arg-type]
    assert (parts.weights, parts.gradients) == (full.weights // 4, full.gradients // 4)
    assert parts.optimizer == full.optimizer // 4
    copies = estimate_memory(LLAMA_7B, **PLAIN, processes=4)  # type: ignore[arg-type]
    assert (copies.weights, copies.gradients) == (full.weights, 2 * full.gradients)


@pytest.mark.parametrize(
    ("key", "less", "more"),
    [
        ("micro_batch_size", 8, 9),
        ("seq_length", 1024, 1025),
        ("gradient_checkpointing", True, False),
        ("accumulating", False, True),
        ("liger", True, False),
        ("optimizer", "adamw_8bit", "adamw"),
        ("lora_rank", 8, 16),
        ("lora_rank", 16, None),
        ("lora_targets", ["q_proj"], "all-linear"),
        ("dtype", "bfloat16", "float32"),
    ],
)
def test_more_of_anything_takes_more(key: str, less: object, more: object) -> None:
    rest = {"lora_rank": 8} if key == "lora_targets" else {}
    small, large = (
        estimate_memory(LLAMA_7B, **{**PLAIN, **rest, key: v}).total for v in (less, more)
    )
    assert small < large


def saved_bytes(model: torch.nn.Module, rows: int, length: int, dtype: DType) -> int:
    """Count the bytes that autograd keeps of one forward pass over sequences, without weights."""
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    kept: dict[int, torch.Tensor] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        if tensor.untyped_storage().data_ptr() not in own:
            kept.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    ids = torch.zeros(rows, length, dtype=torch.long)
    positions = torch.arange(length).remainder(length // 4).expand(rows, length)
    half = (
        torch.autocast("cpu", torch.bfloat16) if dtype == "bfloat16" else contextlib.nullcontext()
    )
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), half:
        model(input_ids=ids, position_ids=positions, labels=ids, use_cache=False)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("rank", [None, 8])
def test_a_layer_keeps_what_is_estimated(dtype: DType, rank: int | None) -> None:
    """The difference between two and three layers is one layer; LoRA is a bound."""
    rows, length, kept, need = 4, 128, [], []
    for layers in (2, 3):
        shape = replace(TINY, layers=layers)
        model: Any = LlamaForCausalLM(config(shape)).train()
        if rank:
            peft = pytest.importorskip("peft")
            model = model.to(getattr(torch, dtype))
            lora = peft.LoraConfig(r=rank, target_modules="all-linear", task_type="CAUSAL_LM")
            model = peft.get_peft_model(model, lora)
        kept.append(saved_bytes(model, rows, length, dtype))
        estimated = estimate_memory(
            shape, micro_batch_size=rows, seq_length=length, dtype=dtype, lora_rank=rank
        )
        # autocast's copies of weights are counted apart; without dropout its bytes are not there
        need.append(estimated.activations + (0 if rank else estimated.weight_copies))
    layer = kept[1] - kept[0]
    assert layer <= (need[1] - need[0]) * 1.02
    assert layer >= (need[1] - need[0]) * (0.75 if rank else 0.98)


def test_checkpointing_keeps_the_input_of_a_layer() -> None:
    rows, length, kept = 4, 128, []
    for layers in (2, 3):
        model = LlamaForCausalLM(config(replace(TINY, layers=layers))).train()
        model.gradient_checkpointing_enable()
        kept.append(saved_bytes(model, rows, length, "bfloat16"))
    assert kept[1] - kept[0] == rows * length * 4 * TINY.hidden_size  # in float32 under autocast
    sizes = {"micro_batch_size": rows, "seq_length": length, "gradient_checkpointing": True}
    two, three = (
        estimate_memory(replace(TINY, layers=n), **sizes, dtype="bfloat16") for n in (2, 3)
    )
    assert three.activations - two.activations == kept[1] - kept[0]


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_real_step_needs_what_is_estimated(dtype: DType, checkpointing: bool) -> None:
    """Weights, gradients and optimiser to the byte; the peak within 15 % as torch tracks it."""
    tracker = pytest.importorskip("torch.distributed._tools.mem_tracker").MemTracker()
    rows, length = 4, 256
    shape = ModelShape(128, 3, 4, 4, 32, 344, 512, tied=False)
    model = LlamaForCausalLM(config(shape)).train()
    if checkpointing:
        model.gradient_checkpointing_enable()
    optimiser = torch.optim.AdamW(model.parameters(), foreach=False)
    ids = torch.zeros(rows, length, dtype=torch.long)
    half = torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16")
    tracker.track_external(model, optimiser)
    with tracker:
        for last in (False, True):
            tracker.reset_mod_stats()
            with half:
                loss = model(input_ids=ids, position_ids=ids, labels=ids, use_cache=False).loss
            loss.backward()
            del loss
            if not last:
                optimiser.step()
                optimiser.zero_grad()
    (peak,) = tracker.get_tracker_snapshot("peak").values()
    need = estimate_memory(
        shape,
        micro_batch_size=rows,
        seq_length=length,
        dtype=dtype,
        gradient_checkpointing=checkpointing,
    )
    moments = [t for state in optimiser.state.values() for t in state.values() if t.dim()]
    assert size(model.parameters()) == need.weights
    assert size(weight.grad for weight in model.parameters()) == need.gradients
    assert size(moments) == need.optimizer
    assert need.total == pytest.approx(peak["Total"], rel=0.15)


def size(tensors: Any) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def test_flops_are_six_a_weight_and_four_a_frozen_one() -> None:
    matrices = count_parameters(LLAMA_7B) - LLAMA_7B.embedding_weights - 65 * LLAMA_7B.hidden_size
    assert flops_per_token(LLAMA_7B, 0) == 6 * matrices
    assert flops_per_token(LLAMA_7B, 0, adapter=10) == 4 * matrices + 60
    assert flops_per_token(LLAMA_7B, 1024) - 6 * matrices == 6 * 32 * 4096 * 1024


NEED = MemoryEstimate(10, 20, 30, 5, 40, 7, False, 100, 50)


def test_memory_and_disk_suffice_or_the_error_has_numbers() -> None:
    assert (NEED.total, NEED.disk) == (75, 250)  # fullest when the backward pass begins
    assert replace(NEED, accumulating=True).total == 105
    assert replace(NEED, activations=1).total == 67  # and here when it ends
    check_fits(NEED, 75, 250)
    need = estimate_memory(LLAMA_7B, **PLAIN, accumulating=True)  # type: ignore[arg-type]
    with pytest.raises(
        BadInput, match=r"about 185 GB a device, and there are 80 GB .*lora, a smaller"
    ):
        check_fits(need, 80 * 10**9, 10**12)
    with pytest.raises(BadInput, match=r"189 GB of disk \(twice 80.9 GB .*100 GB are free"):
        check_fits(need, 10**12, 100 * 10**9)


def test_four_bits_a_weight_are_those_of_bitsandbytes() -> None:
    """Counted once with bitsandbytes 0.50 on a CPU: 432,464 bytes for this model, in bfloat16."""
    shape = ModelShape(128, 2, 4, 4, 32, 256, 512, tied=False)
    need = estimate_memory(
        shape, micro_batch_size=1, seq_length=8, dtype="bfloat16", lora_rank=4, quantize=True
    )
    assert need.weights - 4 * count_adapter_parameters(shape, 4, "all-linear") == 432_464
    assert need.final_model == 2 * count_parameters(shape), "merged, it is in bfloat16 again"
