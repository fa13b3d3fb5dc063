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


@pytest.mark.parametrize("way", ["padded", "packed", "packed, LoRA"])
def test_the_ways_of_the_gpu_run_at_a_tiny_shape(
    bench: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "STEPS", 12)
    line = bench.measure(way, bench.SHAPES["tiny"])
    assert line["tokens_per_second"] > 0
    assert line["micro_batch_size"] == 4
    assert not any(Path().glob("checkpoint-*"))


def test_as_many_rows_at_once_as_the_estimate_allows(bench: Any) -> None:
    size = 141_000_000_000
    for way in bench.WAYS:
        settings = bench.fit_settings(way, bench.LLAMA_7B, size)
        values = settings.model_dump()
        assert bench.needed(values, bench.LLAMA_7B) <= bench.MEMORY_SHARE * size or way == "padded"
        if settings.packing and settings.micro_batch_size < 16:
            more = values | {"micro_batch_size": 2 * settings.micro_batch_size}
            assert bench.needed(more, bench.LLAMA_7B) > bench.MEMORY_SHARE * size


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
