"""`alpacare check` looks at benchmarks before any runs; items join the contamination gate."""

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.rigged import LETTERS, item, write_benchmark
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.filtering.contamination_gate import read_test_sets
from alpacare.stages.filtered import main as filtered

HERE = ("dvc.yaml", "prompts", "configs", "students", "data/seeds", "data/recordings",
        "data/tests", "data/categories")  # fmt: skip
ITEM = item("Which drug lowers the pressure in the eye of a patient with glaucoma?", ["a", "b"], 0)


@pytest.fixture
def project(params: Path) -> Path:
    """The checked-in project with the benchmark `exam`."""
    for name in HERE:
        (params.parent / name).parent.mkdir(exist_ok=True)
        (params.parent / name).symlink_to(REPOSITORY / name)
    write_benchmark("exam", [ITEM])
    params.write_text(params.read_text().replace("benchmarks: []", "benchmarks: [exam]"))
    return params


def refused() -> str:
    done = run(main, "check")
    assert done.exit_code == 2, done.output
    assert len(done.output.strip().splitlines()) == 1
    return done.output


def test_benchmarks_are_checked(project: Path) -> None:
    pytest.importorskip("lm_eval", reason="run: make benchmarks")
    fine = run(main, "check")
    assert fine.exit_code == 0, fine.output
    text = project.read_text()
    project.write_text(text.replace("[exam]", "[exam, medqa]"))
    wanted = "benchmarks: no benchmarks/medqa; run `make fetch DATASET=medqa`; there are: exam"
    assert wanted in refused()
    project.write_text(text.replace("few_shot: null", "few_shot: 3"))
    assert (
        "exam/task.yaml: has no fewshot_split, so lm-eval might show an item its own answer"
        in refused()
    )
    project.write_text(text.replace("batch_size: 8  ", "batch_size: 0  "))
    assert "lm_eval.batch_size: input should be greater than 0" in refused()
    project.write_text(text.replace("tests: [demo]", "tests: [demo, exam]"))
    assert "benchmarks: 'exam' is also in tests; rename one of them" in refused()
    project.write_text(text)
    data = Path("data/benchmarks/exam.jsonl")
    row = json.loads(data.read_text())
    data.write_text(json.dumps({**row, "answer": 2}))
    assert "exam.jsonl:1: the right answer, 2, is none of the 2 choices" in refused()
    data.write_text(json.dumps({**row, "choices": ["Same", "Same "]}))
    assert "two right answers: choices A and B are the same text" in refused()
    data.write_text(json.dumps({**row, "context": " "}))
    assert "exam.jsonl:1: field 'context': the text is empty" in refused()
    data.unlink()
    write_benchmark("other", [ITEM], LETTERS)
    assert "no data/benchmarks/exam.jsonl; run `alpacare benchmark exam FILE`" in refused()
    data.with_name("exam.jsonl.dvc").touch()
    assert "no data/benchmarks/exam.jsonl; run `alpacare pull`; there are: other" in refused()


def test_an_item_of_a_benchmark_is_no_row_to_learn_from(project: Path) -> None:
    (only,) = read_test_sets([Path("data/benchmarks")])
    assert (only.id, only.instruction) == (f"exam/{ITEM.id}", f"{ITEM.question}\na\nb")
    rows = [
        {"id": "1", "instruction": ITEM.question.replace("lowers", "reduces"), "input": ""},
        {"id": "2", "instruction": "Explain what a stroke is to a child.", "input": ""},
    ]
    assert [each["witness"] for each in dropped(rows)] == [f"exam/{ITEM.id}"]


def test_items_are_told_apart_by_their_options_and_found_in_any_form(project: Path) -> None:
    spine = ["It has twelve vertebrae", "It bends in the neck", "It ends above the pelvis", "None"]
    liver = ["A palpable edge", "Percussed dullness", "Found in heart failure", "All of these"]
    asked = "Which of the following is true of {}?"
    exam = item(asked.format("the spine"), spine, 1)
    jsonl.write(Path("data/benchmarks/exam.jsonl"), [exam])
    lettered = "\n".join(f"{letter}. {text}" for letter, text in zip("ABCD", spine, strict=True))
    same = [(exam.question, lettered), (f"{exam.question}\n{lettered}", ""), (exam.question, "")]
    other = asked.format("hepatomegaly")
    texts = [*same, (other, "\n".join(liver)), (f"{other}\n" + "\n".join(liver), ""), (other, "")]
    rows = [{"id": f"{n}", "instruction": a, "input": b} for n, (a, b) in enumerate(texts)]
    found = [each["id"] for each in dropped(rows) if each["reason"] == "contamination"]
    assert found == ["0", "1", "2"]


def dropped(rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Give what stage `filtered` drops of rows."""
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("seeds.jsonl").write_text("")
    done = run(
        filtered, "rows.jsonl", "kept.jsonl", "--dropped", "dropped.jsonl", "--metrics", "m.json",
        "--seeds", "seeds.jsonl", "--test-set", "data/benchmarks",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    return [row for _, row in jsonl.read_objects(Path("dropped.jsonl"))]
