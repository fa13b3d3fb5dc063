"""What a stage is held to while it runs: its own inputs, settings and code, and nothing else."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

from alpacare.core.command import FILE, Stage
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, atomic_folder, read_text, write_json
from alpacare.core.input_state import InputState, current_inputs, hold_inputs
from alpacare.core.settings import read_yaml

PROMPT, TESTS = Path("prompts/judges/overlap/settings.yaml"), Path("data/tests/demo.jsonl")
JUDGING, WEIGHTS = Path("src/alpacare/judging/overlap.py"), Path("weights/model.safetensors")
PARAMS, STUDENT = Path("params.yaml"), Path("students/half-rows.yaml")
TERSE = Path("data/model_generations/demo/terse.jsonl")


@pytest.fixture
def inputs(params: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The start of stage judgments for one student, in a folder with what it reads, and more."""
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(REPOSITORY / name, name)
    for name in ("prompts/judges", "prompts/student", "src/alpacare", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, name, ignore=ignored)
    for place in (TESTS, WEIGHTS, TERSE, STUDENT):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("{}\n")
    monkeypatch.setenv("DVC_STAGE", "judgments@demo-half-rows-0")
    out = Path("data/judgments/demo/half-rows/0")  # DVC has deleted it
    yield [out, Path("prompts/judges"), TESTS, TERSE.parent]
    assert current_inputs() is None


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def edited(path: Path) -> None:
    path.write_text(f"{path.read_text()}# edited\n")


def write(name: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("new\n")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda: replace(PARAMS, "judges: [overlap", "judges: [loglik"), "judgments.judges"),
        (lambda: edited(PROMPT), str(PROMPT)),
        (lambda: edited(JUDGING), str(JUDGING)),
        (lambda: edited(Path("src/alpacare/core/errors.py")), "src/alpacare/core/errors.py"),
        (lambda: TESTS.write_text('{"id": "other"}\n'), str(TESTS)),
        (lambda: TESTS.unlink(), str(TESTS)),
        (lambda: shutil.rmtree(TERSE.parent), str(TERSE)),
        (lambda: write("prompts/judges/ours/prompt.txt"), "prompts/judges/ours/prompt.txt"),
        (lambda: PARAMS.write_text("judgments: [\n"), "params.yaml"),
        (lambda: PARAMS.unlink(), "params.yaml: judgments.references"),
    ],
)
def test_what_the_stage_depends_on_may_not_change(
    inputs: list[Path], change: Callable[[], object], named: str
) -> None:
    with pytest.raises(BadInput, match=named), hold_inputs(inputs):
        change()


def touched() -> None:
    """What `git stash; git stash pop` leaves."""
    for path in (PROMPT, JUDGING, TESTS, PARAMS):
        text = path.read_text()
        path.write_text("taken away")
        path.unlink()
        path.write_text(text)
        os.utime(path, (1, 1))


@pytest.mark.parametrize(
    "change",
    [
        touched,
        lambda: replace(PARAMS, "temperature: 1.0", "temperature: 0.2"),
        lambda: replace(PARAMS, "local_judges: []", "local_judges: [loglik]"),
        lambda: replace(PARAMS, "# ----", "# a comment"),
        lambda: edited(Path("src/alpacare/report/page.py")),
        lambda: edited(Path("src/alpacare/training/student.py")),
        lambda: edited(Path("docs/judge.md")),
        lambda: edited(Path("prompts/student/with_input.txt")),
        lambda: edited(Path("dvc.yaml")),  # DVC read it when it began
        lambda: write("prompts/judges/overlap/.settings.yaml.swp"),
        lambda: write("src/alpacare/judging/__pycache__/overlap.cpython-311.pyc"),
        lambda: write("data/judgments/demo/half-rows/0/terse/overlap.jsonl"),  # its output
    ],
)
def test_anything_else_may(inputs: list[Path], change: Callable[[], object]) -> None:
    with hold_inputs(inputs):
        change()


def test_the_cells_of_a_matrix_have_their_own_inputs(
    inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_STAGE", "server_generations@demo-half-rows-0-ours")
    replace(PARAMS, "  servers: []", "  servers: [ours]")
    other = Path("data/tests/other.jsonl")
    other.write_text("{}\n")
    with hold_inputs([TESTS, other]):
        edited(other)
    with pytest.raises(BadInput, match=str(TESTS)), hold_inputs([TESTS, other]):
        edited(TESTS)


def test_a_students_file_is_an_input_of_its_own_training(
    inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """dvc.yaml has it among the parameters."""
    monkeypatch.setenv("DVC_STAGE", "checkpoint@half-rows-0")
    other = Path("students/other.yaml")
    other.write_text("{}\n")
    with hold_inputs([STUDENT, other]):
        edited(other)
        replace(PARAMS, "hardware: cpu", "hardware: one-gpu")
    with pytest.raises(BadInput, match=str(STUDENT)), hold_inputs([STUDENT, other]):
        edited(STUDENT)


def test_settings_are_those_of_the_start(inputs: list[Path]) -> None:
    with hold_inputs(inputs):
        text = PARAMS.read_text()
        replace(PARAMS, "resamples: 2000", "resamples: 3")
        assert read_yaml(PARAMS)["scores"]["resamples"] == 2000
        PARAMS.write_text(text)


def test_what_is_read_late_must_be_what_it_was_even_if_it_is_so_again(inputs: list[Path]) -> None:
    with hold_inputs(inputs):
        text = PROMPT.read_text()
        edited(PROMPT)
        with pytest.raises(BadInput, match=str(PROMPT)):
            read_text(PROMPT)
        PROMPT.write_text(text)
        assert read_text(PROMPT) == text


def test_so_must_code_that_is_imported_late(
    inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "alpacare.judging.overlap", raising=False)
    with hold_inputs(inputs):
        text = JUDGING.read_text()
        edited(JUDGING)
        with pytest.raises(BadInput, match=str(JUDGING)):
            import alpacare.judging.overlap
        JUDGING.write_text(text)
        import alpacare.judging.overlap  # noqa: F401


def test_no_output_gets_its_name(inputs: list[Path]) -> None:
    out = inputs[0]
    with pytest.raises(BadInput), hold_inputs(inputs), atomic_folder(out) as folder:
        (folder / "row").write_text("1")
        edited(PROMPT)
    with pytest.raises(BadInput), hold_inputs(inputs), atomic_file(Path("metrics.json")) as file:
        file.write("{}")
        edited(PROMPT)
    assert not out.exists()
    assert not list(out.parent.iterdir())
    assert not Path("metrics.json").exists()


def test_a_worker_process_is_held_to_the_same_and_weights_by_size_and_time(
    inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alpacare.core.file_stamps._LARGE", 1)
    with hold_inputs(inputs):
        state = current_inputs()
        assert state
        state.add_model(WEIGHTS.parent)
        state.save(Path("state.json"))
    InputState.load(Path("state.json")).check()
    edited(WEIGHTS)
    with pytest.raises(BadInput, match=str(WEIGHTS)):
        InputState.load(Path("state.json")).check()


def test_without_dvc_nothing_is_recorded_and_nothing_held(
    inputs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DVC_STAGE")
    with hold_inputs(inputs):
        edited(PROMPT)


def test_a_folder_that_is_named_again_is_held_as_it_was(inputs: list[Path]) -> None:
    with pytest.raises(BadInput, match=str(WEIGHTS)), hold_inputs(inputs):
        state = current_inputs()
        assert state
        state.add_model(WEIGHTS.parent)
        edited(WEIGHTS)
        state.add_model(WEIGHTS.parent)


@pytest.mark.usefixtures("inputs")
def test_a_stage_names_no_output_once_an_input_has_changed() -> None:
    """Also at its very start, where DVC has a lock file that is copied."""

    @click.command(cls=Stage)
    @click.argument("tests", type=FILE)
    def main(tests: Path) -> None:
        tests.write_text("changed")
        write_json(Path("out.json"), 1)

    Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    done = CliRunner().invoke(main, [str(TESTS)])
    assert done.exit_code == 2
    assert f"{TESTS} changed while the stage ran" in done.output
    assert not Path("out.json").exists()
