"""`alpacare ablate`: students that differ in their rows alone; or nothing is written."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.pipeline.params import read_params
from alpacare.pipeline.students import read_students
from alpacare.records.category import Category
from alpacare.records.response import Response
from alpacare.records.task import row_id

BASE = Path("students/mine.yaml")
OWN = """\
# Mine.
lora: {rank: 4, alpha: 8, dropout: 0.1, targets: all-linear}
optimizer:
  max_steps: 40  # few
"""


@pytest.fixture
def project(params: Path) -> Path:
    """Seven rows, of which three are open questions; a model sorted them."""
    shutil.copytree(REPOSITORY / "students", "students")
    shutil.copy(REPOSITORY / "dvc.yaml", "dvc.yaml")
    BASE.write_text(OWN)
    texts = [f"Question {n}?" for n in range(7)]
    rows = [
        Response(
            id=row_id(text, ""), instruction=text, input="", output="x" * (9 - n), model="m",
            finish_reason="stop", request="", type="open QA" if n > 3 else "chat",
        )
        for n, text in enumerate(texts)
    ]  # fmt: skip
    jsonl.write(Path("data/responses.jsonl"), rows)
    sorted_rows = [
        Category(id=row.id, category="other" if n else None, raw="", request="")
        for n, row in enumerate(rows)
    ]
    jsonl.write(Path("data/categories/gpt-4o.jsonl"), sorted_rows)
    for path, kept in (("data/tests/exam.jsonl", rows[:1]), ("data/imported/ours.jsonl", rows[1:])):
        Path(path).parent.mkdir(exist_ok=True)
        lines = (json.dumps({"id": r.id, "instruction": r.instruction, "input": ""}) for r in kept)
        Path(path).write_text("\n".join(lines) + "\n")
    return params


def texts() -> dict[str, str]:
    return {str(path): path.read_text() for path in Path().rglob("*.yaml")}


def test_arms_differ_from_their_base_in_their_rows_alone(project: Path) -> None:
    text = project.read_text().replace("categories: none ", "categories: gpt-4o ")
    project.write_text(text.replace("\ncategories: [] ", "\ncategories: [gpt-4o] "))
    before = project.read_text()
    arms = {
        "random:half": ("random-half", 3), "random:half:1": ("random-half-1", 3),
        "longest:2": ("longest-2", 2), "nearest:half:imported/ours": ("nearest-half-ours", 3),
        "type:open QA": ("type-open-qa", 3), "category:other": ("category-other", 6),
    }  # fmt: skip
    done = run(main, "ablate", "mine", *arms)
    assert done.exit_code == 0, done.output
    students = read_students(read_params())
    assert list(students) == ["mine", *(f"mine-{name}" for name, _ in arms.values())]
    for name, count in arms.values():
        assert f"students/mine-{name}.yaml: {count} rows, 40 steps" in done.output
    base = students.pop("mine").model_dump()
    for settings in students.values():
        assert settings.rows.model_dump() != base["rows"]
        assert {**settings.model_dump(), "rows": base["rows"]} == base
    assert [settings.rows.seed for settings in students.values()][:2] == [0, 1]
    assert read_params().judgments.head_to_head == "mine"
    lines = zip(before.splitlines(), project.read_text().splitlines(), strict=True)
    changed = [(old, new) for old, new in lines if old != new]
    assert [old.split()[0] for old, _ in changed] == ["students:", "head_to_head:"]
    assert all(old.partition("#")[2] == new.partition("#")[2] for old, new in changed), "comments"
    assert BASE.read_text() == OWN
    after = texts()
    assert run(main, "ablate", "mine", *arms).exit_code == 0, "again is the same"
    assert texts() == after


def test_one_seed_is_said_to_tell_nothing(project: Path) -> None:
    run(main, "set", "training_seeds=[0]")
    assert "one training seed cannot tell" in run(main, "ablate", "mine", "random:half").output


@pytest.mark.parametrize(
    ("base", "arm", "message"),
    [
        ("mine", "random:most", "'random:most': expected random:AMOUNT, longest:AMOUNT or"),
        ("mine", "shortest:half", "'shortest:half': expected random:AMOUNT"),
        ("mine", "longest:8", "longest:8: rows.take: 8 rows are wanted, and there are 7"),
        ("mine", "longest:2:1", "'longest:2:1': only random has something more"),
        ("mine", "type:poem", "type:poem: rows.where: none of 7 rows has {'type': 'poem'}; type"),
        ("mine", "difficulty:hard", "difficulty:hard: rows.where.difficulty"),
        ("mine", "category:other", "category:other: nobody sorts the rows"),
        ("mine", "nearest:2", "nearest:2: rows: target, choose: with choose: nearest"),
        ("mine", "nearest:2:tests/exam", "rows.target: tests/exam is a test set"),
        ("mine", "nearest:2:imported/exam", "data/imported/exam.jsonl: 1 of 1 are test tasks"),
        ("mine", "nearest:2:imported/none", "data/imported/none.jsonl: no such file; bring it"),
        ("nobody", "random:half", "students: no file students/nobody.yaml; there are"),
        ("half-rows", "longest:half", "students/half-rows.yaml: rows.choose: random: arms learn"),
        ("bioinstruct", "random:half", "set it first: alpacare set students/bioinstruct.yaml:opt"),
        ("mine", "random:2", "students/mine-random-2.yaml: is there, and says something else"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    project: Path, base: str, arm: str, message: str
) -> None:
    shutil.copy("data/tests/exam.jsonl", "data/imported/exam.jsonl")
    Path("students/mine-random-2.yaml").write_text("optimizer: {max_steps: 7}\n")
    before = texts()
    done = run(main, "ablate", base, "longest:half", arm)
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    assert message in done.output
    assert texts() == before


def test_settings_that_do_not_fit_leave_no_file(project: Path) -> None:
    run(main, "set", "models.written=[thorough, terse, mine-random-half]")
    before = texts()
    done = run(main, "ablate", "mine", "random:half")
    assert "'mine-random-half' is also in models; rename one of them" in done.output
    assert texts() == before


def test_rows_that_are_not_there_yet_are_one_line(project: Path) -> None:
    Path("data/responses.jsonl").unlink()
    done = run(main, "ablate", "mine", "random:half")
    assert (done.exit_code, done.output.count("\n")) == (2, 1), done.output
    assert (
        "data/responses.jsonl: not there yet; run `dvc repro data/responses.jsonl`" in done.output
    )
