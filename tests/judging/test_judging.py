"""From two files of answers to a win rate: right by id, or one clear line."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from judge_stages import (
    MODELS,
    OUT,
    SCORES,
    compare,
    judge,
    judged,
    run_judge,
    run_judges,
    run_scores,
    score,
)

from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.records.generation import Generation
from alpacare.records.task import TestTask, row_id
from alpacare.stages.model_generations import main as model_generations

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
    write("ours", GOOD, "")
    write("local_models/base", BAD, BAD)
    take_models("terse", "thorough")


def write(name: str, *outputs: str) -> None:
    """Answers of a model, in another order than the tests', and how they came about."""
    rows = [generation(str(n), each, Path(name).name) for n, each in enumerate(outputs, start=1)]
    jsonl.write(Path(f"{name}.jsonl"), rows[::-1])
    Path(f"{name}.json").write_text('{"engine": "batched"}')


def take_models(*names: str) -> Any:
    """Run the stage that takes written answers out of the test set."""
    section = {"written": names, "api": [], "local": []}
    Path("params.yaml").write_text(json.dumps(read_yaml(Path("params.yaml")) | {"models": section}))
    return run(model_generations, "tests.jsonl", "models", "--prompts", "prompts/models")


def test_answers_are_joined_by_id_and_judged_in_both_orders(files: None) -> None:
    rows = judge("overlap", "base")
    assert [(r.id, r.order, r.verdict) for r in rows] == [
        (id_of("2"), "model_first", "tie"),
        (id_of("2"), "reference_first", "tie"),
        (id_of("1"), "model_first", "model"),
        (id_of("1"), "reference_first", "model"),
    ]
    metrics = score("overlap", "base")
    assert metrics["win_rate"] == 0.75
    assert (metrics["wins"], metrics["ties"], metrics["losses"]) == (1, 1, 0)
    assert metrics["position_consistency"] == 1.0
    assert metrics["by_type"]["chat"]["n"] == 2


def test_a_written_answer_is_never_compared_with_itself(files: None) -> None:
    """Against `terse`, only `thorough` decides; else `terse` would always be nearest."""
    assert judge("overlap", "terse")[-1].verdict == "model"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["1"], f"local_models/base.jsonl: no answer to task {id_of('2')}, which ours.jsonl has"),
        (
            ["1", "2", "3"],
            f"ours.jsonl: no answer to task {id_of('3')}, which local_models/base.jsonl has",
        ),
        (["1", "2", "2"], f"base.jsonl:3: id '{id_of('2')}' is already on line 2"),
    ],
)
def test_files_that_do_not_match_are_refused(files: None, rows: list[str], message: str) -> None:
    jsonl.write(Path("local_models/base.jsonl"), [generation(name, BAD, "base") for name in rows])
    result = run_judge("overlap", "base")
    assert result.exit_code == 2
    assert message in result.output
    assert not OUT.exists()


def test_a_judge_is_a_name_and_no_path(files: None) -> None:
    assert "string should match pattern" in run_judge("../judges/overlap", "base").output


def test_an_unknown_judge_lists_the_known_ones(files: None) -> None:
    result = run_judge("overlapp", "base")
    assert result.exit_code == 2
    assert "no judge 'overlapp' in prompts/judges (known: alpacare, arena-hard, " in result.output


def test_a_judge_of_this_machine_in_the_wrong_folder_is_named(files: None) -> None:
    Path("prompts").unlink()
    shutil.copytree(REPOSITORY / "prompts/local_judges/loglik", "prompts/judges/loglik")
    result = run_judge("loglik", "base")
    assert result.exit_code == 2
    assert "move its folder to prompts/local_judges" in result.output


def test_a_reference_that_a_task_lacks_is_named(files: None) -> None:
    some = {**task("1").answers, "gpt-4": "Hm."}
    jsonl.write(Path("tests.jsonl"), [task("1"), task("2").model_copy(update={"answers": some})])
    result = take_models("gpt-4")
    assert result.exit_code == 2
    assert f"task {id_of('1')} has no answer by 'gpt-4' (has: terse, thorough)" in result.output


def test_a_model_without_answers_is_not_judged(files: None) -> None:
    """Demo may stay beside a published set that another model has not answered."""
    assert take_models("gpt-4", "terse").exit_code == 0
    assert judge("overlap", "gpt-4") == []
    assert score("overlap", "gpt-4")["n"] == 0
    compare("overlap", references=["terse"], contestants=["gpt-4"])
    assert run_judges(answers=MODELS).exit_code == 0
    assert "gpt-4 vs terse, overlap: nothing to score" in run_scores(answers=MODELS).output
    win_rates = json.loads(Path("win_rates.json").read_text())
    assert (win_rates["items"], win_rates["gpt-4"]["terse"]["overlap"]["n"]) == (2, 0)


def test_overlap_leaves_out_what_it_cannot_compare_with_others(files: None) -> None:
    """A test set that one alone has answered: the other judges judge it."""
    tasks = [task(n) for n in ("1", "2")]
    own = [each.model_copy(update={"answers": {"terse": each.answers["terse"]}}) for each in tasks]
    jsonl.write(Path("tests.jsonl"), own)
    assert take_models("terse").exit_code == 0
    assert "overlap on terse: left out, there is no written" in run_judge("overlap", "terse").output
    assert judge("overlap", "terse") == []
    assert score("overlap", "terse")["n"] == 0
    assert len(judge("overlap", "base")) == 4, "against a model of this machine terse decides"
    assert len(judge("longest", "terse")) == 4


def test_a_student_is_also_compared_with_another_student(files: None) -> None:
    write("data/other/0", BAD, BAD)
    compare("longest", references=["terse"], head_to_head="other")
    other = [*MODELS, "--head-to-head", "data/other/0.jsonl", "--generations"]
    assert run_judges(answers=[*other, "ours.jsonl"]).exit_code == 0
    assert {path.name for path in OUT.iterdir()} == {"terse", "other"}
    assert "other, longest: win rate 0.5" in run_scores(answers=[*other, "ours.jsonl"]).output
    win_rates = json.loads(Path("win_rates.json").read_text())
    assert win_rates["other"]["longest"].keys() == {"win_rate", "low", "high"}
    assert win_rates.keys() == {"items", "terse", "other"}
    itself = [*other, "data/other/0.jsonl"]
    assert run_judges(answers=itself).exit_code == 0
    assert [path.name for path in OUT.iterdir()] == ["terse"], "and never with itself"
    assert run_scores(answers=itself).exit_code == 0


def test_other_models_compete_too_and_never_with_themselves(files: None) -> None:
    references = ["terse", "thorough", "base"]
    compare("longest", references=references, contestants=["base", "thorough"])
    assert run_judges(answers=MODELS).exit_code == 0
    files = {str(path.relative_to(OUT)) for path in OUT.rglob("*.jsonl")}
    against = [("base", "terse"), ("base", "thorough"), ("thorough", "terse"), ("thorough", "base")]
    assert files == {f"{one}/{other}/longest.jsonl" for one, other in against}
    assert run_scores(answers=MODELS).exit_code == 0
    win_rates = json.loads(Path("win_rates.json").read_text())
    assert win_rates.pop("items") == 2
    assert {name: list(value) for name, value in win_rates.items()} == {
        "base": ["terse"],  # who competes is in no mean
        "thorough": ["terse"],
    }
    assert win_rates["thorough"]["terse"]["longest"]["win_rate"] == 1
    answers = json.loads((SCORES / "generations.json").read_text())
    assert answers.keys() == {"terse", "thorough", "base"}
    assert (answers["terse"]["answers"], answers["terse"]["engine"]) == (2, "written")
    assert (SCORES / "base/thorough/longest.json").exists()


def test_a_model_without_a_file_of_answers_is_named(files: None) -> None:
    done = run_judge("longest", "gpt-5")
    assert done.exit_code == 2
    assert "no answers by 'gpt-5' in models or local_models; is it in `models`?" in done.output


def test_a_test_set_with_repeated_ids_is_refused(files: None) -> None:
    Path("tests.jsonl").write_text(Path("tests.jsonl").read_text() * 2)
    shutil.rmtree("models")
    done = take_models("terse")
    assert done.exit_code == 2
    assert f"tests.jsonl:3: id '{id_of('1')}' is already on line 1" in done.output
    assert not Path("models").exists()


def test_incomplete_judgments_are_refused(files: None) -> None:
    rows = judge("overlap", "base")
    for kept, message in (
        (rows[:3], f"task {id_of('1')} is judged in one order only"),
        (rows[:2], f"task {id_of('1')} is not judged, and the answers have it"),
        ([*rows, rows[0]], f"task {id_of('2')} is judged 2 times in the order model_first"),
    ):
        jsonl.write(judged("overlap", "base"), kept)
        result = run_scores()
        assert result.exit_code == 2
        assert message in result.output
        assert not SCORES.exists()


def test_the_longest_judge_reads_nothing(files: None) -> None:
    rows = judge("longest", "base")
    assert [row.verdict for row in rows] == ["reference", "reference", "model", "model"]
    assert rows[3].raw == f"longest (a) {len(BAD)}, (b) {len(GOOD)} characters"
