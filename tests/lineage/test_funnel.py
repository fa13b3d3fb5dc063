"""`alpacare funnel`: every figure is that of the rows, wherever it is read from."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from finished import edit, make_project

from alpacare.cli.lineage import funnel


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def project(finished: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    folder = workspace / "project"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    return folder


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def count() -> tuple[dict[tuple[str, str], dict[str, Any]], list[str]]:
    result = run(funnel, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    named = {(line["stage"], line["what"], line["cell"]): line for line in told["counts"]}
    # of a stage with many, the first student's is looked at
    shown = {key[:2]: line for key, line in reversed(named.items())}
    return shown, told["notes"]


def figures(line: dict[str, Any]) -> tuple[int, int, dict[str, int], dict[str, int]]:
    return line["total"], line["kept"], line["lost"], line["marked"]


def test_every_figure_is_that_of_the_rows(project: Path) -> None:
    counts, notes = count()
    written, kept = len(rows("data/instructions.jsonl")), len(rows("data/filtered.jsonl"))
    unread = Counter(row["reason"] for row in rows("data/dropped/instructions.jsonl"))
    gone = Counter(row["reason"] for row in rows("data/dropped/filtered.jsonl"))
    assert figures(counts["seeds", "seed tasks"]) == (177, 177, {}, {})
    assert figures(counts["instructions", "tasks in the replies"]) == (
        written + unread.total(),
        written,
        unread,
        {},
    )
    assert counts["instructions", "calls"]["marked"] == {"cut off": 2}
    assert figures(counts["filtered", "instructions"]) == (written, kept, gone, {})
    assert figures(counts["responses", "tasks"])[:2] == (kept, kept)
    held = round(0.1 * (kept - 1))
    assert figures(counts["student_rows", "responses"]) == (kept, kept, {}, {})
    assert figures(counts["checkpoint", "rows"]) == (
        kept,
        kept - 1 - held,
        {"held out": held, "prompt_too_long": 1},
        {"truncated": 1},
    )
    tests = len(rows("data/tests/demo.jsonl"))
    marked = {"cut off": 1, "empty": 1}
    assert figures(counts["generations", "test tasks"]) == (tests, tests, {}, marked)
    assert figures(counts["judgments", "verdicts"]) == (2 * tests, 2 * tests, {}, {})
    assert notes == []


def test_each_student_has_its_own_rows(project: Path) -> None:
    told = json.loads(run(funnel, "--json").output)
    lines = {(line["stage"], line["cell"]): line for line in told["counts"]}
    half = lines["student_rows", "half-rows"]
    assert figures(half) == (333, 166, {"not chosen": 167}, {})
    assert lines["checkpoint", "half-rows"]["total"] == 166
    assert ("generations", "demo, half-rows, seed 0") in lines
    assert ("judgments", "demo, half-rows (seed 0), all-rows, overlap") in lines


def test_a_student_may_learn_from_a_file_of_its_own(project: Path) -> None:
    shutil.copy("data/responses.jsonl", "data/imported/mine.jsonl")
    with Path("students/half-rows.yaml").open("a") as file:
        file.write("rows: {source: imported/mine, take: 166, choose: random}\n")
    edit("rows:\n  take: 166                       # of 333\n  choose: random\n  seed: 0\n", "",
         "students/half-rows.yaml")  # fmt: skip
    counts = json.loads(run(funnel, "--json").output)["counts"]
    whats = [line["what"] for line in counts if line["stage"] == "student_rows"]
    assert whats == ["responses", "rows of data/imported/mine.jsonl"]


def test_it_reads_like_a_table(project: Path) -> None:
    text = run(funnel).output
    for part in ("333  345  instructions", "12 rouge_l", "verdicts, 3", "1 prompt_too_long"):
        assert part in text


def test_a_clone_without_data_tells_the_same(project: Path) -> None:
    before, _ = count()
    for path in Path("data").iterdir():
        if path.name not in ("seeds", "tests", "imported"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree("models")
    after, notes = count()
    # which reason, only the rows that went know
    lost = before["checkpoint", "rows"]["lost"]
    lost["dropped"] = lost.pop("prompt_too_long")
    assert (after, notes) == (before, [])


def test_without_metrics_the_rows_are_counted(project: Path) -> None:
    before, _ = count()
    shutil.rmtree("metrics")
    after, notes = count()
    for calls in (("instructions", "calls"), ("responses", "calls")):
        del before[calls]  # rows do not tell
    assert after.keys() == before.keys()
    for line in before:
        assert figures(after[line]) == figures(before[line])
    assert notes == []


def test_what_can_be_counted_nowhere_is_named(project: Path) -> None:
    shutil.rmtree("metrics")
    shutil.rmtree("models")
    Path("data/filtered.jsonl").unlink()
    counts, notes = count()
    assert [note.partition(":")[0] for note in notes] == [
        "filtered",
        *(f"checkpoint, {name}" for name in ("all-rows", "half-rows")),
    ]
    assert "data/filtered.jsonl is missing" in notes[0]
    assert ("filtered", "instructions") not in counts
    assert "not counted, data/filtered.jsonl is missing; run `alpacare pull`" in run(funnel).output


def test_verdicts_that_could_not_be_read(project: Path) -> None:
    shutil.rmtree("metrics/scores")
    edit(
        '"verdict": "tie"', '"verdict": null', "data/judgments/demo/all-rows/0/terse/overlap.jsonl"
    )
    line = count()[0]["judgments", "verdicts"]
    assert figures(line) == (140, 139, {"unreadable": 1}, {})


def test_instructions_that_were_brought_in(project: Path) -> None:
    shutil.copy("data/instructions.jsonl", "data/imported/mine.jsonl")
    edit("instructions: instructions", "instructions: imported/mine")
    counts, notes = count()
    assert not any(stage == "instructions" for stage, _ in counts)
    assert counts["filtered", "tasks of data/imported/mine.jsonl"]["kept"] == 333
    assert notes == []


def test_responses_that_were_brought_in(project: Path) -> None:
    shutil.copy("data/responses.jsonl", "data/imported/mine.jsonl")
    edit("responses: responses", "responses: imported/mine")
    counts, notes = count()
    assert {stage for stage, _ in counts} == {
        "student_rows",
        "checkpoint",
        "generations",
        "judgments",
    }
    assert counts["student_rows", "rows of data/imported/mine.jsonl"]["total"] == 333
    assert notes == []
    Path("data/imported/mine.jsonl").write_text('{"id": "1"}\n')
    _, notes = count()
    assert notes == [
        "student_rows, all-rows kept 333, and there are 1: one of them is out of date; run "
        "`make repro`",
        "student_rows, half-rows kept 166, and there are 1: one of them is out of date; run "
        "`make repro`",
    ]


def test_stages_of_different_times_are_told(project: Path) -> None:
    edit('"instructions": 345', '"instructions": 300', "metrics/filtered.json")
    _, notes = count()
    assert notes == [
        "instructions kept 345, filtered got 300: one of them is out of date; run `make repro`"
    ]


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("metrics/filtered.json", "}", "", "metrics/filtered.json: not valid JSON"),
        ("params.yaml", "rouge_l:", "rogue_l:", "did you mean 'rouge_l'?"),
        ("dvc.yaml", "stages:", "stages: [", "dvc.yaml: not valid YAML"),
    ],
)
def test_a_file_that_is_wrong_is_named(
    project: Path, path: str, old: str, new: str, told: str
) -> None:
    edit(old, new, path)
    result = run(funnel)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert told in result.output
