"""`alpacare set` changes the keys that it is given, and nothing at all if one of them is wrong."""

from pathlib import Path
from shutil import copytree

import pytest
from conftest import REPOSITORY, run
from generated_ledgers import link_what_git_holds

from alpacare.cli.main import main
from alpacare.core.settings import read_yaml
from alpacare.pipeline.params import read_params
from alpacare.pipeline.students import read_students

ALL, HALF = "students/all-rows.yaml", "students/half-rows.yaml"


@pytest.fixture
def project(params: Path) -> Path:
    """The checked-in params.yaml and students, and what their names stand for."""
    copytree(REPOSITORY / "students", params.parent / "students")
    link_what_git_holds("dvc.yaml", "prompts", "data", "configs/datasets.yaml", "benchmarks")
    return params


def told(*edits: str) -> list[str]:
    result = run(main, "set", *edits)
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def texts() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*.yaml")}


def test_values_change_and_comments_stay(project: Path) -> None:
    before = project.read_text()
    assert told("generations.temperature=0.0", "tests=[demo, safety]", "scores.seed=1") == [
        "generations.temperature: 0.7 -> 0.0",
        'tests: ["demo"] -> ["demo", "safety"]',
        "scores.seed: 0 -> 1",
    ]
    after = project.read_text().splitlines()
    comments = [line.partition("#")[2] for line in before.splitlines()]
    assert [line.partition("#")[2] for line in after] == comments
    told("generations.temperature=0.7", "tests=[demo]", "scores.seed=0")
    assert project.read_text() == before
    assert told("tests=[demo]") == ["nothing to change: the files say so already"]


def test_what_is_named_and_not_here_is_told_of(project: Path) -> None:
    named = ("tests=[icliniq, dem]", "benchmarks=[own-mqc]", "sources.seeds=seeds/medicl")
    assert told(*named, "judgments.rubric_judges=[rubricitems]")[4:] == [
        "warning: tests: no data/tests/icliniq.jsonl; run `make fetch DATASET=icliniq`; there are: "
        "demo, safety",
        "warning: tests: no data/tests/dem.jsonl; run `alpacare test-set dem FILE`; did you mean "
        "'demo'?",
        "warning: benchmarks: no benchmarks/own-mqc; run `alpacare benchmark own-mqc FILE`; did "
        "you mean 'own-mcq'?",
        "warning: judgments.rubric_judges: no prompts/judges/rubricitems; did you mean "
        "'rubric-items'?",
        "warning: sources.seeds: no data/seeds/medicl.jsonl; did you mean 'medical'?",
    ]
    assert len(told("scores.seed=1")) == 1  # of what is edited alone


def test_a_student_gets_a_key_of_the_defaults(project: Path) -> None:
    """Into the block that is there, behind it, and behind the file's last line."""
    own = "rows:\n  take: 9  # few\n  choose: random\noptimizer:\n  max_steps: 4  # quick\n"
    Path(HALF).write_text(own)
    edits = {
        "optimizer.learning_rate": "1e-3",
        "rows.where.type": "open QA",
        "rows.where.difficulty": "[1, 2]",
        "packing": "false",
    }
    lines = told(*(f"{HALF}:{key}={value}" for key, value in edits.items()))
    assert lines[0] == f"{HALF}:optimizer.learning_rate: 0.004 -> 0.001"
    assert Path(HALF).read_text() == (
        own.replace("random\n", "random\n  where: {type: open QA, difficulty: [1, 2]}\n")
        + "  learning_rate: 1e-3\npacking: false\n"
    )
    settings = read_students(read_params())["half-rows"]
    assert settings.optimizer.learning_rate == 1e-3
    assert settings.rows.where.difficulty == [1, 2]
    assert told(f"{HALF}:rows.where.type=null") == [f'{HALF}:rows.where.type: "open QA" -> null']


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_line_ends_stay(project: Path, end: str) -> None:
    text = "# mine\noptimizer:\n  max_steps: 4  # few" + ("\n" if end else "")
    Path(ALL).write_bytes(text.replace("\n", end or "\n").encode())
    told(f"{ALL}:optimizer.epochs=2", f"{ALL}:optimizer.max_steps=5")
    after = Path(ALL).read_bytes().decode()
    assert after.splitlines() == ["# mine", "optimizer:", "  max_steps: 5  # few", "  epochs: 2"]
    assert after.count("\r\n") == (4 if end == "\r\n" else 0)


def test_a_section_without_keys_gets_some(project: Path) -> None:
    lora = ("rank=8", "alpha=16", "dropout=0.0", "targets=all-linear")
    told(*(f"checkpoint.lora.{each}" for each in lora), "instructions.extra.effort=low")
    lines = project.read_text()
    assert "  lora: {rank: 8, alpha: 16, dropout: 0.0, targets: all-linear} # or" in lines
    told("endpoints.ours.base_url=http://localhost:9/v1", "endpoints.ours.api_key=null",
         "endpoints.ours.identity=ours", "instructions.endpoint=ours")  # fmt: skip
    assert read_params().endpoints["ours"].identity == "ours"
    told("checkpoint.lora=null", "instructions.extra={}")
    assert read_yaml(project)["checkpoint"]["lora"] is None


def test_two_files_change_together_or_not_at_all(project: Path) -> None:
    before = texts()
    sorted_rows = f"{ALL}:rows.where.category=diagnosis"
    result = run(main, "set", sorted_rows)
    assert (result.exit_code, texts()) == (2, before)
    assert "name who does in `categories`" in result.output
    told(sorted_rows, "categories=[gpt-4o]", "sources.categories=gpt-4o")
    changed = {name for name, text in texts().items() if text != before[name]}
    assert changed == {ALL, "params.yaml"}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        ("generations.temperature", "'generations.temperature': expected KEY=VALUE"),
        ("=1", "'': expected KEY=VALUE"),
        ("generatoins.top_p=1.0", "generatoins: unknown key; did you mean 'generations'?"),
        ("generations.temprature=1.0", "temprature: unknown key; did you mean 'temperature'?"),
        ("generations.temperature=hot", "generations.temperature: input should be a valid number"),
        ("checkpoint.hardware=cpu", "checkpoint.hardware: this key has a new name: training.hardw"),
        ("tests.demo.x=1", "params.yaml: tests.demo.x: 'tests' is a value, and has no keys"),
        ("tests=[demo", "tests: the value is not valid YAML"),
        ("students=[all-rows, half-row]", "'half-rows' is not in students: all-rows, half-row"),
        ("training_seeds=[1, 1]", "training_seeds: '1' stands twice"),
        (f"{ALL}:optimizer.epoch=1", f"{ALL}: optimizer.epoch: unknown key; did you mean 'epochs'"),
        (f"{ALL}:base=org/model", f"{ALL}: 'org/model' is no local folder, so it is a Hub model"),
        ("students/all-row.yaml:packing=true", "no file students/all-row.yaml; did you mean 'all-"),
        ("prices.yaml:a=1", "'prices.yaml': neither params.yaml nor a student"),
        ("students/../params.yaml:hosts=null", "neither params.yaml nor a student"),
        ("endpoints.openai.identity=sk-proj-abcdefghijklmnopqrstuvwx0123456789", "holds "),
    ],
)
def test_a_wrong_edit_is_one_line_and_changes_nothing(
    project: Path, edit: str, message: str
) -> None:
    before = texts()
    result = run(main, "set", "scores.seed=3", edit)
    assert result.exit_code == 2
    assert message in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert "sk-proj-abc" not in result.output
    assert texts() == before
