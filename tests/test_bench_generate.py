"""The benches of generation: no speed is reported unless the answers are the same."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY, run

sys.path.insert(0, str(REPOSITORY / "bench"))


@pytest.fixture(scope="module")
def bench() -> Any:
    import generate

    return generate


@pytest.fixture
def tiny(bench: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bench of a few short answers that keeps its figures here."""
    import generate_ways
    import results

    for name, value in {"TASKS": 6, "MOST": 12, "END": 16}.items():
        monkeypatch.setattr(generate_ways, name, value)
    for name, value in {"ROUNDS": 2, "WARM": 1}.items():
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr(results, "PATH", workspace / "results.json")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return workspace / "results.json"


def test_it_runs_at_a_tiny_shape(bench: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports: list[dict[str, Any]] = []
    compare = bench.compare

    def keep_report(work: Any) -> dict[str, Any]:
        reports.append(compare(work))
        return reports[-1]

    monkeypatch.setattr(bench, "compare", keep_report)
    monkeypatch.setattr(bench, "TASKS_LIKE", {bench.TARGET_SET: bench.medinstruct})
    monkeypatch.setattr(bench, "TARGET", 1000.0)
    done = run(bench.main, "--save")
    assert done.exit_code == 1
    assert "target: 1000 times the published loop" in done.output
    figures = next(iter(json.loads(tiny.read_text())["generate"].values()))["figures"]
    for way in ("published", "one batch", "batched"):
        assert figures[f"MedInstruct-test, {way}, tokens/s"] > 0
        assert figures[f"MedInstruct-test, {way}, peak MB"] > 100
    assert figures["MedInstruct-test, batched, times the loop"] > 0
    assert figures["MedInstruct-test, batched, times one batch"] > 0
    assert figures["MedInstruct-test, noise, %"] >= 0
    assert "this machine's own noise" in " ".join(done.output.split())
    report = reports[0]
    for line in report["ways"].values():
        assert line["ratio"]["range"][0] <= line["ratio"]["median"] <= line["ratio"]["range"][1]
        assert 100 < line["memory"]["before"] <= line["memory"]["peak"]
    asked = report["asked"]
    assert 6 < asked["new_tokens"]["sum"] < 6 * 12
    assert 0 < asked["cut_off"] < 1
    # one at a time, each token is a step
    single = report["limit"]["published"]
    assert (single["steps"], single["rows"]) == (asked["new_tokens"]["sum"], 1)
    assert report["limit"]["batched"]["steps"] <= 12


def test_another_answer_ends_it_before_any_speed_is_reported(
    bench: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(name: str, folder: Path) -> dict[str, Any]:
        end = [9] if name == "batched" else [8]
        return {"answers": [[[7], "stop", ""]] * 5 + [[[7, *end], "stop", ""]]}

    monkeypatch.setattr(bench, "run_in_own_process", answers)
    done = run(bench.main, "--save")
    assert done.exit_code == 1
    assert done.output == "batched: 1 of 6 answers differ from the published loop\n"
    assert not tiny.exists()


def test_a_batch_takes_as_long_as_its_longest_answer(bench: Any) -> None:
    answers = [([7] * 3, "stop", ""), ([7] * 9, "length", ""), ([7], "stop", "")]
    assert bench.steps(answers, [[1, 2], [0]]) == 9 + 4


def test_without_a_gpu_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import generate_gpu

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = CliRunner().invoke(generate_gpu.main, [])
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "needs a GPU" in done.stderr


def test_the_ways_of_the_gpu_run_at_a_tiny_shape_and_a_failure_is_a_line(
    bench: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import generate_gpu

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(generate_gpu, "CACHE", {"cache_tokens": 4096, "step_tokens": 256})
    bench.make_work(tiny.parent, bench.tiny(), bench.medinstruct)
    ways = [way for way in generate_gpu.WAYS if way != "vLLM"]
    lines = [generate_gpu.measure(way, tiny.parent) for way in ways]
    assert all(line["tokens_per_second"] > 0 for line in lines)
    assert len({line["median_tokens"] for line in lines}) == 1
    assert {line["utilisation"] for line in lines} == {None}  # nobody knows a CPU's peak
    # 100 tokens in a millisecond at 2 FLOPs a weight and token
    share = generate_gpu.utilisation(tiny.parent, [100], 1e-3, "NVIDIA H200")
    weights = 1e-3 * 989e12 * share / 200
    assert 700_000 < weights < 1_300_000  # 0.8 million, an output matrix among them, and attention
    broken = generate_gpu.run_in_own_process("vLLM", str(tiny.parent / "nowhere"), "tiny")
    assert "nowhere" in broken["failed"]
    generate_gpu.show([*lines, broken])
    said = capsys.readouterr().out
    assert all(way in said for way in ways)
    assert "vLLM: failed: " in said
