"""The benchmarks of generation: nothing is told of speed unless the answers are the same."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "bench"))


@pytest.fixture(scope="module")
def bench() -> Any:
    import generate

    return generate


@pytest.fixture
def tiny(bench: Any, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bench of a few short answers that writes here."""
    import generate_ways

    for name, value in {"TASKS": 6, "MOST": 12, "END": 16}.items():
        monkeypatch.setattr(generate_ways, name, value)
    for name, value in {"ROUNDS": 2, "WARM": 1}.items():
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr(bench, "OUT", workspace / "generate.json")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    return workspace / "generate.json"


def test_it_runs_at_a_tiny_shape(
    bench: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for promise, status in ((0.0, 0), (1000.0, 1)):
        monkeypatch.setattr(bench, "PROMISE", promise)
        with pytest.raises(SystemExit) as ended:
            bench.main()
        assert ended.value.code == status
    told, said = json.loads(tiny.read_text())["tasks_like"], capsys.readouterr().out
    assert told.keys() == {"MedInstruct-test", "iCliniq"}
    report = told["MedInstruct-test"]
    assert report["ways"].keys() == {"published", "batched", "continuous"}
    for line in report["ways"].values():
        assert line["ratio"]["range"][0] <= line["ratio"]["median"] <= line["ratio"]["range"][1]
        assert 100 < line["memory"]["before"] <= line["memory"]["peak"]
    asked = report["asked"]
    assert 6 < asked["new_tokens"]["sum"] < 6 * 12
    assert 0 < asked["cut_off"] < 1
    # one at a time, each token is a step
    alone = report["limit"]["published"]
    assert (alone["steps"], alone["rows"]) == (asked["new_tokens"]["sum"], 1)
    assert report["limit"]["batched"]["steps"] <= 12
    assert "promise: 1000 times the published loop" in said


def test_another_answer_ends_it_before_any_speed_is_told(
    bench: Any, tiny: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apart = bench.apart

    def wrong(name: str, folder: Path) -> dict[str, Any]:
        found = apart(name, folder)
        if name == "continuous":
            found["answers"][2][0].append(7)
        return dict(found)

    monkeypatch.setattr(bench, "apart", wrong)
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == "continuous: 1 of 6 answers differ from the published loop"
    assert not capsys.readouterr().out
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
    broken = generate_gpu.apart("vLLM", str(tiny.parent / "nowhere"), "tiny")
    assert "nowhere" in broken["failed"]
    generate_gpu.show([*lines, broken])
    said = capsys.readouterr().out
    assert all(way in said for way in ways)
    assert "vLLM: failed: " in said


def test_the_figures_of_the_page_are_those_of_the_bench() -> None:
    report = json.loads((REPOSITORY / "bench/generate.json").read_text())
    page = (REPOSITORY / "docs/performance.md").read_text()
    names = {"published": "published loop", "batched": "`batched`", "continuous": "`continuous`"}
    for like, part in report["tasks_like"].items():
        assert part["ways"].keys() == names.keys()
        for way, line in part["ways"].items():
            rate, ratio = line["tokens_per_second"]["median"], line["ratio"]
            span = "{:.2f} to {:.2f}".format(*ratio["range"])
            figures = f"{rate:,.0f} | {ratio['median']:.2f} | {span} | {line['memory']['peak']:.0f}"
            assert f"| {like} | {names[way]} | {figures} MB |" in page
    best = report["tasks_like"]["MedInstruct-test"]["ways"]["batched"]["ratio"]["median"]
    assert f"{best:.0f} times" in (REPOSITORY / "README.md").read_text()
