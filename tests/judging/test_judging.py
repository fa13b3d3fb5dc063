"""From two files of answers to a win rate: right by id, or one clear line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from judge_stages import OUT, SCORES, judge, judged, run_judge, run_scores, score

from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.evaluation.score import Cell
from alpacare.evaluation.score_table import print_scores
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask, row_id
from alpacare.stages.base_generations import main as base
from alpacare.stages.references import main as references

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


def take_references(*names: str) -> Any:
    """Run the stage that takes written answers out of the test set."""
    section = {"written": names, "api": [], "local": []}
    Path("params.yaml").write_text(
        json.dumps(read_yaml(Path("params.yaml")) | {"references": section})
    )
    return run(references, "tests.jsonl", "references", "--prompts", "prompts/references")


def test_answers_are_joined_by_id_and_judged_in_both_orders(files: None) -> None:
    rows = judge("overlap", "base")
    assert [(r.id, r.order, r.verdict) for r in rows] == [
        (id_of("1"), "model_first", "model"),
        (id_of("1"), "reference_first", "model"),
        (id_of("2"), "model_first", "tie"),
        (id_of("2"), "reference_first", "tie"),
    ]
    metrics = score("overlap", "base")
    assert metrics["win_rate"] == 0.75
    assert (metrics["wins"], metrics["ties"], metrics["losses"]) == (1, 1, 0)
    assert metrics["position_consistency"] == 1.0
    assert metrics["by_type"]["chat"]["n"] == 2


def test_a_written_answer_is_never_compared_with_itself(files: None) -> None:
    """Against `terse`, only `thorough` decides; else `terse` would always be nearest."""
    take_references("terse")
    assert judge("overlap", "terse")[0].verdict == "model"


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
    result = run_judge("overlap", "base")
    assert result.exit_code == 2
    assert message in result.output
    assert not OUT.exists()


def test_a_judge_is_a_name_and_no_path(files: None) -> None:
    assert "string should match pattern" in run_judge("../judges/overlap", "base").output


def test_an_unknown_judge_lists_the_known_ones(files: None) -> None:
    result = run_judge("overlapp", "base")
    assert result.exit_code == 2
    assert "no judge 'overlapp' in prompts/judges (known: alpacare, longest, " in result.output


def test_a_judge_of_this_machine_in_the_wrong_folder_is_named(files: None) -> None:
    Path("prompts").unlink()
    shutil.copytree(REPOSITORY / "prompts/local_judges/loglik", "prompts/judges/loglik")
    result = run_judge("loglik", "base")
    assert result.exit_code == 2
    assert "move its folder to prompts/local_judges" in result.output


def test_a_reference_that_a_task_lacks_is_named(files: None) -> None:
    some = {**task("1").answers, "gpt-4": "Hm."}
    jsonl.write(Path("tests.jsonl"), [task("1"), task("2").model_copy(update={"answers": some})])
    result = take_references("gpt-4")
    assert result.exit_code == 2
    assert f"task {id_of('1')} has no answer by 'gpt-4' (has: terse, thorough)" in result.output


def test_a_reference_without_answers_is_not_judged(
    files: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Demo may stay beside a published set whose references it does not have."""
    Path("s").mkdir()
    assert take_references("gpt-4").exit_code == 0
    assert judge("overlap", "gpt-4") == []
    assert "nothing to score" in run_scores().output
    SCORES.rename("s/t")
    metrics = json.loads(Path("s/t/gpt-4/overlap.json").read_text())
    assert (metrics["n"], metrics["win_rate"]) == (0, None)
    judge("overlap", "base")
    score("overlap", "base")
    (SCORES / "base").rename("s/t/base")
    print_scores(Path("s"), [Cell("t", "gpt-4", "overlap"), Cell("t", "base", "overlap")], {})
    told = capsys.readouterr().out
    assert "base" in told
    assert "gpt-4" not in told


def test_a_test_set_with_repeated_ids_is_refused(files: None) -> None:
    Path("tests.jsonl").write_text(Path("tests.jsonl").read_text() * 2)
    for done in (
        run(base, "no-checkpoint", "tests.jsonl", "out.jsonl", "--run", "run.json"),
        take_references("terse"),
    ):
        assert done.exit_code == 2
        assert f"tests.jsonl:3: id '{id_of('1')}' is already on line 1" in done.output
        assert not Path("out.jsonl").exists()
        assert not Path("references").exists()


def test_incomplete_judgments_are_refused(files: None) -> None:
    rows = judge("overlap", "base")
    for kept, message in (
        (rows[:3], f"task {id_of('2')} is judged in one order only"),
        (rows[:2], f"task {id_of('2')} is not judged, and ours.jsonl has it"),
        ([*rows, rows[0]], f"task {id_of('1')} is judged 2 times in the order model_first"),
    ):
        jsonl.write(judged("overlap", "base"), kept)
        result = run_scores()
        assert result.exit_code == 2
        assert message in result.output
        assert not SCORES.exists()


def test_the_longest_judge_reads_nothing(files: None) -> None:
    rows = judge("longest", "base")
    assert [row.verdict for row in rows] == ["model", "model", "reference", "reference"]
    assert rows[1].raw == f"longest (a) {len(BAD)}, (b) {len(GOOD)} characters"
