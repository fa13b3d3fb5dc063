"""From two files of answers to a win rate: right by id, or one clear line."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from hypothesis import given
from hypothesis import strategies as st

from alpacare import jsonl
from alpacare.evaluation.overlap import compare
from alpacare.evaluation.statistics import bootstrap_interval, summarise
from alpacare.evaluation.table import print_scores
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
    return run(judgments, *arguments, *extra)


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
    assert run(scores, "j.jsonl", "s.json").exit_code == 0
    score = json.loads(Path("s.json").read_text())
    assert score["win_rate"] == 0.75
    assert (score["wins"], score["ties"], score["losses"]) == (1, 1, 0)
    assert score["position_consistency"] == 1.0


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
    assert "no judge 'overlapp' in prompts/judges (known: overlap)" in result.output


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
    assert "nothing to score" in run(scores, "j.jsonl", "s/t/gpt-4/overlap.json").output
    score = json.loads(Path("s/t/gpt-4/overlap.json").read_text())
    assert (score["n"], score["win_rate"]) == (0, None)
    judge()
    run(scores, "j.jsonl", "s/t/base/overlap.json")
    print_scores(Path("s"), [("t", "gpt-4", "overlap"), ("t", "base", "overlap")])
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


words = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8).map(" ".join)


@given(words, words, st.lists(words, min_size=1, max_size=3))
def test_swapping_the_sides_swaps_the_verdict(a: str, b: str, written: list[str]) -> None:
    swapped = {"model": "reference", "reference": "model", "tie": "tie"}
    one = compare(a, b, written, 0.0, "model_first")
    other = compare(b, a, written, 0.0, "reference_first")
    assert other.verdict == swapped[one.verdict]
    assert other.raw == one.raw


def verdicts(*pairs: tuple[str | None, str | None]) -> list[Judgment]:
    return [
        Judgment(id=str(n), order=order, verdict=verdict, raw="", request="")  # type: ignore[arg-type]
        for n, pair in enumerate(pairs)
        for order, verdict in zip(("model_first", "reference_first"), pair, strict=True)
    ]


def test_known_answers() -> None:
    rows = verdicts(
        ("model", "model"), ("model", "reference"), ("tie", "model"), ("reference", None)
    )
    score = summarise(rows, 500, 0.95, 0)
    assert score.win_rate == 0.75  # (1 + 0.5 + 0.75) / 3
    assert (score.n, score.n_valid, score.failures) == (4, 3, 1)
    assert (score.wins, score.ties, score.losses) == (2, 1, 0)
    assert score.position_consistency == 0.3333
    assert score.ci_low is not None
    assert score.ci_high is not None
    assert score.ci_low <= score.win_rate <= score.ci_high


def test_a_judge_that_always_takes_the_first_gets_half_and_no_consistency() -> None:
    score = summarise(verdicts(*[("model", "reference")] * 9), 200, 0.95, 0)
    assert (score.win_rate, score.position_consistency) == (0.5, 0.0)
    assert score.ci_low is not None
    assert score.ci_low < 0.5 < 1 - score.ci_low, "nine items alike are no certainty"


def test_a_clean_sweep_is_not_certain() -> None:
    """70 of 70 won: the exact 95 % interval starts at 0.025^(1/70), not at 1."""
    score = summarise(verdicts(*[("model", "model")] * 70), 200, 0.95, 0)
    assert (score.ci_low, score.ci_high) == (0.9487, 1.0)
    score = summarise(verdicts(*[("reference", "reference")] * 70), 200, 0.95, 0)
    assert (score.ci_low, score.ci_high) == (0.0, 0.0513)


def test_nothing_readable_gives_no_number() -> None:
    score = summarise(verdicts((None, None)), 200, 0.95, 0)
    assert (score.win_rate, score.ci_low, score.failures) == (None, None, 2)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(400):
        values = rng.binomial(2, 0.4, size=100) / 2
        low, high = bootstrap_interval(list(values), 400, 0.95, trial)
        hits += low <= 0.4 <= high
    assert 0.92 <= hits / 400 <= 0.98


def test_incomplete_judgments_are_refused(files: None) -> None:
    jsonl.write(Path("j.jsonl"), verdicts(("model", "model"))[:1])
    result = run(scores, "j.jsonl", "s.json")
    assert result.exit_code == 2
    assert "judged in one order only" in result.output
