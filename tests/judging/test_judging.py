"""From two files of answers to a win rate: right by id, or one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.core import jsonl
from alpacare.evaluation.score_table import print_scores
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment
from alpacare.records.task import TestTask, row_id
from alpacare.stages.base import main as base
from alpacare.stages.judgments import main as judgments
from alpacare.stages.references import main as references
from alpacare.stages.scores import main as scores

GOOD, BAD = "see a doctor about chest pain", "the the the"


def id_of(name: str) -> str:
    return row_id(f"Task {name}?", "")


def task(name: str) -> TestTask:
    return TestTask(
        id=id_of(name),
        instruction=f"Task {name}?",
        input="",
        type="chat",
        topic="t",
        view="v",
        difficulty=1,
        answers={"thorough": GOOD, "terse": "see a doctor"},
    )


def generation(name: str, output: str, generator: str) -> Generation:
    return Generation(
        id=id_of(name),
        instruction=f"Task {name}?",
        input="",
        output=output,
        generator=generator,
        finish_reason="stop",
    )


@pytest.fixture
def files(params: Path) -> None:
    Path("prompts").symlink_to(REPOSITORY / "prompts")
    jsonl.write(Path("tests.jsonl"), [task("1"), task("2")])
    ours = [generation("1", GOOD, "student"), generation("2", "", "student")]
    jsonl.write(Path("ours.jsonl"), ours)
    jsonl.write(Path("base.jsonl"), [generation("2", BAD, "base"), generation("1", BAD, "base")])


def judge(*extra: str, reference: str = "base.jsonl") -> Any:
    arguments = ["--judge", "overlap", "--tests", "tests.jsonl", "ours.jsonl", reference, "j.jsonl"]
    return run(judgments, *arguments, "--run", "j.json", *extra)


def score(out: str = "s.json", reference: str = "base.jsonl") -> Any:
    """Score what `judge` wrote."""
    files = ["--generations", "ours.jsonl", "--reference", reference, "--tests", "tests.jsonl"]
    return run(scores, "j.jsonl", out, "--run", "j.json", *files)


def test_answers_are_joined_by_id_and_judged_in_both_orders(files: None) -> None:
    result = judge()
    assert result.exit_code == 0, result.output
    rows = jsonl.read(Path("j.jsonl"), Judgment)
    assert [(r.id, r.order, r.verdict) for r in rows] == [
        (id_of("1"), "model_first", "model"),
        (id_of("1"), "reference_first", "model"),
        (id_of("2"), "model_first", "tie"),
        (id_of("2"), "reference_first", "tie"),
    ]
    result = score()
    assert result.exit_code == 0, result.output
    metrics = json.loads(Path("s.json").read_text())
    assert metrics["win_rate"] == 0.75
    assert (metrics["wins"], metrics["ties"], metrics["losses"]) == (1, 1, 0)
    assert metrics["position_consistency"] == 1.0
    assert metrics["by_type"]["chat"]["n"] == 2


def test_a_written_answer_is_never_compared_with_itself(files: None) -> None:
    """Against `terse`, only `thorough` decides; else `terse` would always be nearest."""
    run(references, "--reference", "terse", "tests.jsonl", "terse.jsonl", "--run", "r.json")
    assert judge(reference="terse.jsonl").exit_code == 0
    assert jsonl.read(Path("j.jsonl"), Judgment)[0].verdict == "model"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1"], f"base.jsonl: no answer to task {id_of('2')}, which ours.jsonl has"),
        (["1", "2", "3"], f"ours.jsonl: no answer to task {id_of('3')}, which base.jsonl has"),
        (["1", "2", "2"], f"base.jsonl:3: id '{id_of('2')}' is already on line 2"),
    ],
)
def test_files_that_do_not_match_are_refused(files: None, rows: list[str], message: str) -> None:
    jsonl.write(Path("base.jsonl"), [generation(name, BAD, "base") for name in rows])
    result = judge()
    assert result.exit_code == 2
    assert message in result.output
    assert not Path("j.jsonl").exists()


def test_a_judge_is_a_name_and_no_path(files: None) -> None:
    assert "no judge '../judges/overlap'" in judge("--judge", "../judges/overlap").output


def test_an_unknown_judge_lists_the_known_ones(files: None) -> None:
    result = judge("--judge", "overlapp")
    assert result.exit_code == 2
    assert "no judge 'overlapp' in prompts/judges (known: alpacare, loglik, lon" in result.output


def test_a_reference_that_a_task_lacks_is_named(files: None) -> None:
    some = {**task("1").answers, "gpt-4": "Hm."}
    jsonl.write(Path("tests.jsonl"), [task("1"), task("2").model_copy(update={"answers": some})])
    options = ["--reference", "gpt-4", "--run", "run.json"]
    result = run(references, *options, "tests.jsonl", "out.jsonl")
    assert result.exit_code == 2
    assert f"task {id_of('1')} has no answer by 'gpt-4' (has: terse, thorough)" in result.output


def test_a_reference_without_answers_is_not_judged(
    files: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Demo may stay beside a published set whose references it does not have."""
    written = run(
        references, "--reference", "gpt-4", "tests.jsonl", "none.jsonl", "--run", "r.json"
    )
    assert written.exit_code == 0
    assert judge(reference="none.jsonl").exit_code == 0
    assert "nothing to score" in score("s/t/gpt-4/overlap.json", "none.jsonl").output
    metrics = json.loads(Path("s/t/gpt-4/overlap.json").read_text())
    assert (metrics["n"], metrics["win_rate"]) == (0, None)
    judge()
    assert score("s/t/base/overlap.json").exit_code == 0
    print_scores(Path("s"), [("t", "gpt-4", "overlap"), ("t", "base", "overlap")], {})
    told = capsys.readouterr().out
    assert "base" in told
    assert "gpt-4" not in told


def test_a_test_set_with_repeated_ids_is_refused(files: None) -> None:
    Path("tests.jsonl").write_text(Path("tests.jsonl").read_text() * 2)
    for command in (base, references):
        extra = ["--reference", "terse"] if command is references else ["no-checkpoint"]
        result = run(command, *extra, "tests.jsonl", "out.jsonl", "--run", "run.json")
        assert result.exit_code == 2
        assert f"tests.jsonl:3: id '{id_of('1')}' is already on line 1" in result.output
        assert not Path("out.jsonl").exists()


def test_incomplete_judgments_are_refused(files: None) -> None:
    judge()
    rows = jsonl.read(Path("j.jsonl"), Judgment)
    for kept, message in (
        (rows[:3], f"task {id_of('2')} is judged in one order only"),
        (rows[:2], f"task {id_of('2')} is not judged, and ours.jsonl has it"),
        ([*rows, rows[0]], f"task {id_of('1')} is judged 2 times in the order model_first"),
    ):
        jsonl.write(Path("j.jsonl"), kept)
        result = score()
        assert result.exit_code == 2
        assert message in result.output
        assert not Path("s.json").exists()


def test_the_longest_judge_reads_nothing(files: None) -> None:
    assert judge("--judge", "longest").exit_code == 0
    rows = jsonl.read(Path("j.jsonl"), Judgment)
    assert [row.verdict for row in rows] == ["model", "model", "reference", "reference"]
    assert rows[1].raw == f"longest (a) {len(BAD)}, (b) {len(GOOD)} characters"
