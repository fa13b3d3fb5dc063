"""The benches of training: unequal training ends them, and the GPU's code runs."""

import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "bench"))


@pytest.fixture(scope="module")
def bench() -> Any:
    import train_gpu

    return train_gpu


def test_the_profile_says_where_the_time_goes() -> None:
    import train
    from train_ways import Work, corpus, encode, make_student, ours, skewed

    tokenizer, examples = encode(corpus(4, skewed))
    shares = train.profile(ours, make_student(tokenizer), Work(tokenizer, examples, batch=4))
    assert set(shares) == {*train.KINDS, "other operations", "Python and waiting"}
    assert all(share >= 0 for share in shares.values())
    assert shares["matrix products"] > 0  # of so short a step, the optimiser may round to nothing
    assert sum(shares.values()) == pytest.approx(100, abs=1)


@pytest.mark.parametrize("way", ["padded", "packed", "packed, LoRA"])
def test_the_ways_of_the_gpu_run_at_a_tiny_shape(
    bench: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "STEPS", 12)
    line = bench.measure(way, bench.SHAPES["tiny"])
    assert line["tokens_per_second"] > 0
    assert line["micro_batch_size"] == 4
    assert not any(Path().glob("checkpoint-*"))


def test_torchs_own_kernels_train_as_the_packed_way_does(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attention without a mask and the loss without all logits: the same loss and gradients."""
    import torch
    import train_gpu_kernels as kernels

    from alpacare.training.data import collate_padded

    shape = bench.SHAPES["tiny"]
    settings = bench.fit_settings("packed", shape, None)
    packed = bench.pack_examples(bench.examples(12, shape.vocab_size), settings)
    usual, ours = bench.make_model(shape, settings), bench.make_model(shape, settings, varlen=True)
    ours.load_state_dict(usual.state_dict())
    losses = [
        usual(**collate_padded(packed, bench.ROW, 0), use_cache=False).loss,
        ours(**kernels.collate(packed, bench.ROW, 0), use_cache=False).loss,
    ]
    for loss in losses:
        loss.backward()
    assert torch.allclose(*losses, atol=1e-5)
    weights = ours.state_dict(keep_vars=True)
    for name, weight in usual.named_parameters():
        assert torch.allclose(weight.grad, weights[name].grad, atol=1e-5), name
    q, kv = torch.empty(64, 4, 16, device="meta"), torch.empty(64, 2, 16, device="meta")
    starts = torch.empty(3, dtype=torch.int32, device="meta")
    assert kernels.varlen(q, kv, kv, starts, 32, None).shape == q.shape  # torch takes these names
    monkeypatch.setattr(bench, "STEPS", 12)
    monkeypatch.setitem(bench.WAYS, "varlen, tiny", {})
    assert bench.measure("varlen, tiny", shape)["tokens_per_second"] > 0


def test_as_many_rows_at_once_as_the_estimate_allows(bench: Any) -> None:
    size = 139 * 2**30  # an H200, as torch sees it
    for way in bench.WAYS:
        settings = bench.fit_settings(way, bench.LLAMA_7B, size)
        values = settings.model_dump()
        fused = bench.fused(way)
        needed = bench.needed(values, bench.LLAMA_7B, fused)
        assert needed <= bench.MEMORY_SHARE * size or way == "padded"
        if settings.packing and settings.micro_batch_size < 16:
            more = values | {"micro_batch_size": 2 * settings.micro_batch_size}
            assert bench.needed(more, bench.LLAMA_7B, fused) > bench.MEMORY_SHARE * size


def test_without_a_gpu_it_says_so_and_a_failure_is_a_line(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = CliRunner().invoke(bench.main, [])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "needs a GPU" in done.stderr
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "needs a GPU" in bench.run_in_own_process("packed", "7b")["failed"]
