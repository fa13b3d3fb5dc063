"""`alpacare ask`: one question to a student and to its base, as the pipeline would ask it."""

import shutil
from pathlib import Path

import pytest
from answerers import answer, make_checkpoint, make_tests
from conftest import REPOSITORY, run

from alpacare.cli.ask import ask


@pytest.fixture
def project(params: Path) -> Path:
    """The pipeline's files, a base, and a student that is trained."""
    for name in ("dvc.yaml", "students"):
        (params.parent / name).symlink_to(REPOSITORY / name)
    text = params.read_text().replace("temperature: 0.7", "temperature: 0.0")
    params.write_text(text.replace("max_new_tokens: 128", "max_new_tokens: 24"))
    make_checkpoint(Path("models/base_model"), seed=2)
    return make_checkpoint(Path("models/checkpoint/all-rows/1"))


def test_a_question_gets_the_answers_of_the_pipeline(project: Path) -> None:
    (test,) = make_tests(1)
    done = run(ask, "all-rows", test.instruction, "--seed", 1)
    assert done.exit_code == 0, done.output
    theirs = [answer(model, [test])[0].output for model in (project, Path("models/base_model"))]
    assert theirs[0] != theirs[1]
    said = done.output.rpartition("its base")
    assert theirs[0] in said[0]
    assert theirs[1] in said[2]


def test_it_says_how_to_serve_and_what_is_missing(project: Path) -> None:
    params = Path("params.yaml")
    params.write_text(params.read_text().replace("training_seeds: [0, 1]", "training_seeds: [1]"))
    lines = run(ask, "all-rows", "--serve").output.splitlines()
    assert [line.split()[0] for line in lines] == ["vllm", "ln"]
    for words, line in (
        ([" "], "QUESTION: nothing is asked"),
        (["hi", "--input", "<noinput>"], 'write "" for no input'),
        (["\udcff"], "other bytes than UTF-8"),
    ):
        refused = run(ask, "all-rows", *words, "--seed", 1)
        assert (refused.exit_code, line in refused.output) == (2, True), refused.output
    shutil.rmtree("models")
    done = run(ask, "all-rows", "hi", "--seed", 1)
    assert done.exit_code == 2
    assert (
        "all-rows, seed 1: not trained here; run `make train STUDENT=all-rows SEED=1`"
        in done.output
    )
    edit = "`alpacare set training_seeds='[1, 7]'`, then `make train STUDENT=all-rows SEED=7`"
    assert edit in run(ask, "all-rows", "hi", "--seed", 7).output
