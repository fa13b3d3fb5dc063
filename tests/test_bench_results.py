"""The benches' figures by machine: kept when asked, and pages quote the range over machines."""

import importlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from bench_quotes import QUOTES
from clones import Clone, copy_tree
from conftest import REPOSITORY, run

sys.path.insert(0, str(REPOSITORY / "bench"))

import results

BENCHES = sorted(
    path.stem
    for path in (REPOSITORY / "bench").glob("*.py")
    if re.search(r"^@(results\.)?save_option$", path.read_text(), re.M)
)


def fill(bench: str, template: str) -> str:
    """A sentence with the figures of all machines."""

    def put(found: re.Match[str]) -> str:
        numbers = results.values(bench, found[1])
        assert numbers, f"no machine has {found[1]!r} of {bench}"
        return (
            results.machines(numbers) if found[2] == "machines" else results.span(numbers, found[2])
        )

    return re.sub(r"\{([^|}]+)\|([^}]+)\}", put, template)


@pytest.mark.parametrize(("page", "bench", "template"), QUOTES)
def test_a_page_quotes_the_range_over_machines(page: str, bench: str, template: str) -> None:
    text = " ".join((REPOSITORY / page).read_text().split())
    assert fill(bench, template) in text


def test_every_bench_that_has_figures_is_quoted() -> None:
    assert results.read().keys() <= {bench for _, bench, _ in QUOTES} | {"graph"}


@pytest.mark.parametrize(
    ("bench", "figure", "most"),
    [
        ("report", "writing, s", 20),
        ("report", "page, MB", 5),
        ("report", "first paint, s", 1),
        ("report", "slowest filter or search, s", 0.2),
    ],
)
def test_targets_hold_on_every_machine(bench: str, figure: str, most: float) -> None:
    assert max(results.values(bench, figure)) < most


@pytest.fixture
def kept(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of results with two machines."""
    path = workspace / "results.json"
    monkeypatch.setattr(results, "PATH", path)
    monkeypatch.setattr(results, "machine", lambda: "mine, 2 cores")
    results.write("train", {"a, s": 1.0, "b, s": 5.0}, "mine, 2 cores")
    results.write("train", {"a, s": 3.0}, "other, 8 cores")
    return path


def test_without_save_figures_are_shown_beside_the_kept_ones_and_no_file_changes(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = kept.read_bytes()
    results.report("train", {"a, s": 2.0, "new, s": 7.0}, save=False)
    assert kept.read_bytes() == before
    rows = [re.findall(r"[\w, .]+", line) for line in capsys.readouterr().out.splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert ["a, s", "2", "1 to 3", "two machines"] in cells
    assert any(row[:2] == ["new, s", "7"] for row in cells)


def test_save_replaces_the_entry_of_this_machine_and_keeps_the_others(kept: Path) -> None:
    others = json.loads(kept.read_text())["train"]["other, 8 cores"]
    results.report("train", {"a, s": 2.0}, save=True)
    results.report("filter", {"c, s": 4.0}, save=True)
    after = json.loads(kept.read_text())
    assert list(after) == ["filter", "train"]
    assert after["train"].keys() == {"mine, 2 cores", "other, 8 cores"}
    assert after["train"]["mine, 2 cores"]["figures"] == {"a, s": 2.0}  # b is gone: not measured
    assert after["train"]["other, 8 cores"] == others
    assert results.values("train", "a, s") == [2.0, 3.0]


def test_a_gpu_is_a_machine_and_a_failed_way_has_no_figures(kept: Path) -> None:
    line: dict[str, Any] = {"tokens_per_second": 900, "peak_gb": 70.1, "device": "GPU"}
    lines = [{"way": "packed", **line}, {"way": "vLLM", "failed": "no memory"}]
    results.report_gpu("train_gpu", lines, save=True)
    figures = {"packed, tokens/s": 900, "packed, peak GB": 70.1}
    assert json.loads(kept.read_text())["train_gpu"]["GPU"]["figures"] == figures
    before = kept.read_bytes()
    results.report_gpu("train_gpu", lines[1:], save=True)
    assert kept.read_bytes() == before


def test_noise_is_how_far_the_same_work_goes_apart() -> None:
    rounds = [
        {"ours": 10.0, "theirs": 5.0},
        {"ours": 11.0, "theirs": 5.0},
        {"ours": 10.0, "theirs": 4.0},
    ]
    # ours: (11 - 10) / 10 = 10 %; theirs: (5 - 4) / 5 = 20 %
    assert results.noise(rounds) == 20.0
    assert "up to 20 %" in results.describe_noise(20.0)
    rates = iter([100, 300, 110])
    lines, said = results.run_ways(["a", "b"], lambda _: {"tokens_per_second": next(rates)})
    assert [line["tokens_per_second"] for line in lines] == [100, 300]
    assert "up to 9.5 %" in said  # 10 of the median, 105
    assert "not known" in results.run_ways(["a"], lambda _: {"failed": "no memory"})[1]


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ("model name\t: Intel(R) Core(TM) i7-9700 CPU @ 3.00GHz", "Intel Core i7-9700, 2 cores"),
        ("model name\t: AMD EPYC Processor", "AMD EPYC Processor, 2 cores"),
    ],
)
def test_a_machine_is_named_by_its_processor(
    info: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "_processor", lambda: info.split(":")[1])
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert results.machine() == name


@pytest.mark.parametrize("bench", BENCHES)
def test_every_bench_starts_and_has_save(bench: str) -> None:
    help_text = run(importlib.import_module(bench).main, "--help")
    assert help_text.exit_code == 0
    assert "--save" in help_text.output


def test_a_bench_leaves_git_clean_unless_asked_to_save(tmp_path: Path) -> None:
    copy_tree(tmp_path / "clone")
    clone = Clone(tmp_path / "clone").start()
    assert "kept, lowest to highest" in clone.ok(sys.executable, "bench/scores.py")
    assert clone.git("status", "--short") == ""
    assert "results.json: scores on " in clone.ok(sys.executable, "bench/scores.py", "--save")
    assert clone.git("status", "--short").split() == ["M", "bench/results.json"]


def test_only_figures_of_the_published_number_of_rows_are_saved() -> None:
    done = run(importlib.import_module("filter").main, "--rows", "4000", "--save")
    assert done.exit_code == 2
    assert "leave out --rows" in done.output
