"""`checkpoint`, `training_curves` and `generations` on a student of a few thousand weights."""

import json
from pathlib import Path

import pytest
from conftest import run
from safetensors.torch import load_file
from tiny_study import STUDENT, edit, make_base, make_rows, rows, train, trained

from alpacare.core import jsonl
from alpacare.records.task import TestTask, row_id
from alpacare.stages.generations import main as generations
from alpacare.stages.training_curves import main as curves

__all__ = ["rows"]  # a fixture


def test_same_seed_same_bytes_and_another_seed_other_weights(rows: Path) -> None:
    one = trained(rows, "one")
    assert trained(rows, "two") == one
    assert not [name for name in one if name.endswith((".bin", ".pt"))]
    assert trained(rows, "seed", seed=1)["model.safetensors"] != one["model.safetensors"]
    training = json.loads(Path("seed/training.json").read_text())
    assert (training["student"], training["seed"], training["examples"]) == ("tiny", 1, 6)
    assert "student | `tiny`, training seed 1" in Path("seed/README.md").read_text()
    arguments = ["one", "--metrics", "m.json", "--plot", "p.csv"]
    assert run(curves, *arguments).exit_code == 0
    metrics = json.loads(Path("m.json").read_text())
    assert metrics["loss_end"] < metrics["loss_start"]
    assert Path("p.csv").read_text().splitlines()[0] == "step,loss,learning_rate"
    task = TestTask(id=row_id("Why rest?", ""), instruction="Why rest?", input="")
    jsonl.write(Path("tests.jsonl"), [task])
    done = run(generations, "one", "tests.jsonl", "answers.jsonl", "--run", "run.json")
    assert done.exit_code == 0, done.output
    (answer,) = map(json.loads, Path("answers.jsonl").read_text().splitlines())
    assert (answer["id"], answer["generator"]) == (task.id, "tiny")


def test_training_starts_from_the_base_model_and_ends_after_max_steps(rows: Path) -> None:
    make_base(Path("base_model"), seed=5)
    STUDENT.write_text("optimizer: {max_steps: 3, learning_rate: 1.0e-12}\n")
    trained(rows, "out")
    first, last = (load_file(f"{name}/model.safetensors") for name in ("base_model", "out"))
    assert all(last[name].allclose(first[name], atol=1e-8) for name in last)
    assert len(Path("out/history.jsonl").read_text().splitlines()) == 3
    assert "| length | 3 steps |" in Path("out/README.md").read_text()


def test_a_row_that_leaves_no_room_goes_to_the_side_file(rows: Path) -> None:
    long = make_rows()[0].model_copy(update={"id": "long", "input": "very " * 200})
    jsonl.write(rows, [long, *make_rows()])
    STUDENT.write_text("optimizer: {max_steps: 1}\n")
    trained(rows, "out")
    (lost,) = map(json.loads, Path("out/dropped.jsonl").read_text().splitlines())
    assert (lost["id"], lost["reason"]) == ("long", "prompt_too_long")
    assert json.loads(Path("out/training.json").read_text())["examples"] == 6


def test_a_diverged_run_stops_and_leaves_the_old_checkpoint(rows: Path) -> None:
    Path("out").mkdir()
    Path("out/old").touch()
    STUDENT.write_text("optimizer: {learning_rate: 1.0e+30}\n")
    result = train(rows, "out")
    assert result.exit_code == 2
    assert "training diverged: the loss of step" in result.output
    assert [path.name for path in Path("out").iterdir()] == ["old"]


@pytest.mark.parametrize(
    ("student", "message"),
    [
        ("packng: true", "students/tiny.yaml: packng: unknown key; did you mean 'packing'?"),
        ("hardware: cpu", "students/tiny.yaml: hardware: this key has a new name: training.hard"),
        ("max_seq_length: 512", "max_seq_length: 512 tokens exceed the context of 'random', 256"),
        ("dtype: bfloat16", "dtype: bfloat16 is for GPUs, and hardware 'cpu' is a CPU"),
    ],
)
def test_a_wrong_student_is_one_line(rows: Path, student: str, message: str) -> None:
    STUDENT.write_text(student)
    result = train(rows, "out")
    assert (result.exit_code, result.output.count("\n")) == (2, 1)
    assert message in result.output


def test_a_base_model_that_is_not_made_is_not_looked_for_on_the_hub(rows: Path) -> None:
    Path("base_model").rename("elsewhere")
    assert "base_model: no model here; run `dvc repro base_model`" in train(rows, "out").output


def test_where_training_runs_is_not_part_of_its_name(rows: Path, params: Path) -> None:
    """A run that diverges leaves its scratch folder, which bears its name."""

    def names() -> set[str]:
        assert "diverged" in train(rows, "out", hardware=Path("hardware")).output
        return {path.name for path in Path(".scratch").iterdir()}

    STUDENT.write_text("optimizer: {learning_rate: 1.0e+30}\n")
    Path("hardware").mkdir()
    for name in ("cpu", "other"):
        Path(f"hardware/{name}.yaml").write_text("distributed_type: 'NO'\nuse_cpu: true\n")
    first = names()
    edit(params, {"hardware: cpu": "hardware: other", "save_steps: 500": "save_steps: 7"})
    assert names() == first
    STUDENT.write_text("optimizer: {learning_rate: 2.0e+30}\n")
    assert len(names()) == 2


@pytest.mark.parametrize("text", ["", '{"step": 1, "epoch": 0.1, "loss": NaN, "learning_rate": 1}'])
def test_a_history_without_numbers_is_refused(params: Path, text: str) -> None:
    Path("trained").mkdir()
    Path("trained/history.jsonl").write_text(text)
    Path("trained/training.json").write_text("{}")
    result = run(curves, "trained", "--metrics", "m.json", "--plot", "p.csv")
    assert result.exit_code == 2
    assert "history.jsonl" in result.output
    assert not Path("m.json").exists()
