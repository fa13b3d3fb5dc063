"""The benchmarks of training: what the page tells is what was measured, and the GPU's code runs."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "bench"))

PAGE = REPOSITORY / "docs/performance.md"


@pytest.fixture(scope="module")
def bench() -> Any:
    import train_gpu

    return train_gpu


def test_the_figures_of_the_page_are_those_of_the_bench() -> None:
    report = json.loads((REPOSITORY / "bench/train.json").read_text())
    page = " ".join(PAGE.read_text().split())
    names = {"published": "published recipe", "trl": "TRL 1.16.0, packing", "ours": "ours"}
    for lengths, part in report["lengths"].items():
        assert part["ways"].keys() == names.keys()
        for way, line in part["ways"].items():
            rate, ratio = line["tokens_per_second"]["median"], line["ratio"]
            low, high = ratio["range"]
            cells = f"{rate:,.0f} | {ratio['median']:.2f} | {low:.2f} to {high:.2f}"
            assert f"| {lengths} | {names[way]} | {cells} | {line['utilisation']:.0%} |" in page
        assert f"{lengths} lengths leave {part['useful']:.0%} of a padded batch useful" in page
    assert f"{report['matmul_gflops']:.0f} GFLOP/s" in page
    assert f"{report['parameters'] / 1e6:.1f} million" in page


def test_what_was_measured_trained_the_same_weights() -> None:
    same = json.loads((REPOSITORY / "bench/train.json").read_text())["same"]
    assert same["moved"] > 1e-4
    for far in same["differences"].values():
        assert max(far["loss"], far["weights"]) < 1e-5


@pytest.mark.parametrize("way", ["padded", "packed", "packed, LoRA"])
def test_the_ways_of_the_gpu_run_at_a_tiny_shape(
    bench: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "STEPS", 12)
    line = bench.measure(way, bench.SHAPES["tiny"])
    assert line["tokens_per_second"] > 0
    assert line["micro_rows"] == 4
    assert not any(Path().glob("checkpoint-*"))


def test_as_many_rows_at_once_as_the_estimate_allows(bench: Any) -> None:
    size = 141_000_000_000
    for way in bench.WAYS:
        settings = bench.settle(way, bench.LLAMA_7B, size)
        values = settings.model_dump()
        assert bench.needed(values, bench.LLAMA_7B) <= bench.ROOM * size or way == "padded"
        if settings.packing and settings.micro_rows < 16:
            more = values | {"micro_rows": 2 * settings.micro_rows}
            assert bench.needed(more, bench.LLAMA_7B) > bench.ROOM * size


def test_without_a_gpu_it_says_so_and_a_failure_is_a_line(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = CliRunner().invoke(bench.main, [])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "needs a GPU" in done.stderr
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "needs a GPU" in bench.apart("packed", "7b")["failed"]
