"""`alpacare agreement`: from files of verdicts and reviews to figures, or one clear line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.core import jsonl
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment, Verdict
from alpacare.records.review import answer_hash
from alpacare.records.task import TaskType, TestTask, row_id
from alpacare.review.key import StudentReview

TYPES: tuple[TaskType, ...] = ("chat", "single-hop reasoning")
VERDICTS: dict[str, Verdict] = {"m": "model", "r": "reference", "t": "tie"}
ODD = "[bold]Ann[/nonsense] :smile: Müller \\[x] 李"


def id_of(number: int) -> str:
    return row_id(f"Task {number}?", "")


def answer(number: int, text: str = "Hm.") -> Generation:
    return Generation(
        id=id_of(number), instruction=f"Task {number}?", input="", output=f"{text} {number}",
        generator="student", finish_reason="stop",
    )  # fmt: skip


def judge(
    name: str, verdicts: str, reference: str = "terse", test: str = "demo", who: str = "mine/0"
) -> None:
    """Write a judge's verdicts, a letter an item; "x" cannot be read, "i" is inconsistent."""
    rows = []
    for number, letter in enumerate(verdicts):
        verdict = VERDICTS.get(letter)
        for order in ("model_first", "reference_first"):
            if letter == "i":
                verdict = "model" if order == "model_first" else "reference"
            rows.append(
                Judgment(id=id_of(number), order=order, verdict=verdict, raw="", request="")
            )
    jsonl.write(Path(f"data/judgments/{test}/{who}/{reference}/{name}.jsonl"), rows)


def review(number: int, letter: str, reviewer: str = "ann", **other: Any) -> StudentReview:
    values = {
        "test": "demo", "reference": "terse", "criterion": "overall", "student": "mine",
        "training_seed": 0, **other,
    }  # fmt: skip
    return StudentReview(id=id_of(number), reviewer=reviewer, verdict=VERDICTS[letter], **values)


def reviews(name: str, verdicts: str, reviewer: str, **other: Any) -> None:
    rows = [review(number, letter, reviewer, **other) for number, letter in enumerate(verdicts)]
    jsonl.write(Path(f"data/reviews/{name}.jsonl"), rows)


@pytest.fixture
def project(params: Path) -> Path:
    """Six tasks of two types, answered by a student and judged by two against one reference."""
    set_params(judges="[overlap, strict]", references="[terse]")
    Path("dvc.yaml").write_text((REPOSITORY / "dvc.yaml").read_text())
    tasks = [
        TestTask(id=id_of(n), instruction=f"Task {n}?", input="", type=TYPES[n % 2])
        for n in range(6)
    ]
    jsonl.write(Path("data/tests/demo.jsonl"), tasks)
    jsonl.write(Path("data/generations/demo/mine/0.jsonl"), [answer(n) for n in range(6)])
    judge("overlap", "mmrrti")
    judge("strict", "mrrrtx")
    return params


def set_params(**changes: str) -> None:
    settings = {"students": "[mine]", "training_seeds": "[0]", "head_to_head": "mine"}
    settings |= {"contestants": "[]", **changes}
    text = Path("params.yaml").read_text()
    for key, value in settings.items():
        text, found = re.subn(rf"(?m)^( *{key}: )[^#\n]*", rf"\g<1>{value} ", text, count=1)
        assert found, key
    Path("params.yaml").write_text(text)


def measured() -> dict[str, Any]:
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


def named(report: dict[str, Any]) -> dict[tuple[str, str, str | None], dict[str, Any]]:
    return {(p["first"], p["second"], p["criterion"]): p for p in report["pairs"]}


def test_two_judges(project: Path) -> None:
    """Equal on 4 of 5; a kappa of five items is not shown."""
    done = run(main, "agreement")
    assert done.exit_code == 0, done.output
    assert not Path("out.json").exists()
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "overlap and strict: 5 comparisons of 5 test items" in lines
    (whole,) = (line for line in lines if line.startswith("all "))
    assert re.fullmatch(r"all 5 80 \(\d+ to \d+\) 75 \(\d+ to \d+\) -", whole)
    assert any(line.startswith("chat (few) 3 100 (") for line in lines)
    assert any(line.startswith("single-hop reasoning (few) 2 50 (") for line in lines)
    assert "overlap and strict: 1 without a readable verdict left out" in done.output
    assert "no kappa, 5 test items, and 40 are needed for its interval" in done.output
    assert max(map(len, done.output.splitlines()[:8])) <= 80
    assert "…" not in done.output, "a figure is cut off"


def test_the_same_figures_as_json(project: Path) -> None:
    report = measured()
    (pair,) = report["pairs"]
    assert (report["reviews"], report["left_out"], report["confidence"]) == (0, {}, 0.95)
    assert (pair["kind"], pair["first"], pair["second"]) == ("judges", "overlap", "strict")
    overall = pair["overall"]
    assert (overall["n"], overall["items"], overall["unreadable"]) == (5, 5, 1)
    assert overall["accuracy"]["value"] == 0.8
    assert (overall["n_decided"], overall["accuracy_decided"]["value"]) == (4, 0.75)
    assert overall["kappa"]["value"] == 0.6875
    assert list(pair["by_type"]) == ["chat", "single-hop reasoning"]
    assert {name: each["n"] for name, each in pair["by_test"].items()} == {"demo": 5}


def test_references_and_test_sets_are_pooled(project: Path) -> None:
    set_params(references="[terse, thorough]", tests="[demo, second]")
    path = Path("data/tests/demo.jsonl")
    path.with_name("second.jsonl").write_text("".join(path.read_text().splitlines(True)[:1]))
    for name in ("overlap", "strict"):
        judge(name, "mmrrti", "thorough")
        judge(name, "m", "terse", "second")
        judge(name, "", "thorough", "second")  # a reference that has not answered this set
    (pair,) = measured()["pairs"]
    assert (pair["overall"]["n"], pair["overall"]["items"]) == (12, 6)
    assert {name: each["n"] for name, each in pair["by_test"].items()} == {"demo": 11, "second": 1}
    output = run(main, "agreement").output
    assert re.search(r"(?m)^demo \(few\) +11 ", output)
    assert re.search(r"(?m)^second \(few\) +1 ", output)


def test_students_and_seeds_are_pooled_and_their_items_are_clusters(project: Path) -> None:
    set_params(students="[mine, other]", training_seeds="[0, 1]")
    for who, verdicts in (("mine/1", "mmmrrr"), ("other/0", "rrrmmm"), ("other/1", "rrrmmm")):
        for name in ("overlap", "strict"):
            judge(name, verdicts, who=who)
            if who.startswith("other"):
                judge(name, verdicts, "mine", who=who)
    (pair,) = measured()["pairs"]
    assert (pair["overall"]["n"], pair["overall"]["items"]) == (35, 6)


def test_people_are_asked_about_one_training_of_one_student(project: Path) -> None:
    set_params(students="[mine, other]", training_seeds="[0, 1]", judges="[overlap]")
    for who in ("mine/1", "other/0", "other/1"):
        judge("overlap", "mmmrrr", who=who)
        jsonl.write(Path(f"data/generations/demo/{who}.jsonl"), [answer(n, who) for n in range(6)])
        if who.startswith("other"):
            judge("overlap", "mmmrrr", "mine", who=who)
    reviews("ann", "mmm", "ann")
    reviews("bob", "rr", "bob", student="other", training_seed=1)
    old = [
        review(n, "m", "eve", student=None, training_seed=None,
               generation=answer_hash(answer(n, "mine/1").output))
        for n in range(4)
    ]  # fmt: skip
    unknown = [review(5, "m", "eve", student=None, training_seed=None)]
    jsonl.write(Path("data/reviews/eve.jsonl"), old + unknown)
    report = measured()
    found = {
        (p["model"], p["seed"]): (p["rate"]["n"], p["rate"]["win_rate"]) for p in report["people"]
    }
    assert found == {("mine", 0): (3, 1.0), ("mine", 1): (4, 1.0), ("other", 1): (2, 0.0)}
    assert report["left_out"] == {"whose answer it is about is not said": 1}
    assert "mine (seed 1)" in " ".join(run(main, "agreement").output.split())


def test_judges_and_reviewers(project: Path) -> None:
    reviews("ann", "mmrrtt", "ann")
    reviews("bob", "mmrr", "bob", criterion="correctness")
    reviews("bob-2", "mtrr", "bob", criterion="overall")
    found = named(measured())
    assert set(found) == {
        ("overlap", "strict", None),
        ("overlap", "reviewers", "correctness"),
        ("strict", "reviewers", "correctness"),
        ("overlap", "reviewers", "overall"),
        ("strict", "reviewers", "overall"),
        ("ann", "bob", "overall"),
    }
    assert found["ann", "bob", "overall"]["overall"]["n"] == 4
    assert found["ann", "bob", "overall"]["overall"]["accuracy"]["value"] == 0.75
    against = found["overlap", "reviewers", "overall"]["overall"]  # item 1: no majority, a tie
    assert (against["n"], against["accuracy"]["value"]) == (6, 0.8333)
    assert found["overlap", "reviewers", "correctness"]["overall"]["kappa"]["value"] == 1.0


def test_one_judge_and_reviews_are_enough(project: Path) -> None:
    set_params(judges="[overlap]")
    reviews("ann", "mm", "ann")
    assert [pair["kind"] for pair in measured()["pairs"]] == ["judge and reviewers"]


def test_reviews_of_what_is_gone_are_left_out_and_counted(project: Path) -> None:
    rows = [
        review(0, "m", generation=answer_hash(answer(0).output)),
        review(1, "m", generation=answer_hash(answer(1, "Before.").output)),
        review(99, "m"),
        review(2, "m", reference="gpt-4"),
        review(2, "m", test="other"),
        review(3, "m"),
    ]
    jsonl.write(Path("data/reviews/ann.jsonl"), rows)
    report = measured()
    assert report["reviews"] == 2
    assert named(report)["overlap", "reviewers", "overall"]["overall"]["n"] == 2
    output = " ".join(run(main, "agreement").output.split())
    assert (
        "reviews: 2 counted; 2 left out, item or answer has changed since; "
        "2 left out, not compared in params.yaml" in output
    )


def test_odd_names_are_printed_as_they_are(project: Path) -> None:
    reviews("a", "mmr", ODD)
    reviews("b", "mrr", "bob")
    done = run(main, "agreement")
    assert done.exit_code == 0, done.output
    assert f"{ODD} and bob, overall: 3 comparisons" in " ".join(done.output.split())


def test_the_same_bytes_each_time(project: Path) -> None:
    reviews("ann", "mmrrtt", "ann")
    reviews("bob", "mrrrtt", "bob")
    first = (measured(), Path("out.json").read_bytes())[1]
    for old, new in (("ann", "z"), ("bob", "a")):  # files are read in another order
        Path(f"data/reviews/{old}.jsonl").rename(f"data/reviews/{new}.jsonl")
    measured()
    assert Path("out.json").read_bytes() == first


def refused(*arguments: object) -> str:
    done = run(main, "agreement", *arguments)
    assert done.exit_code == 2
    assert done.output.startswith("error: ")
    assert len(done.output.strip().splitlines()) == 1
    assert not Path("out.json").exists()
    return done.output


def test_nobody_to_compare(project: Path) -> None:
    set_params(judges="[overlap]")
    assert "second judge into judgments.judges in params.yaml" in refused("--out", "out.json")
    reviews("ann", "m", "ann", reference="gpt-4")
    assert "(reviews: 0 counted; 1 left out, not compared in params.yaml)" in refused()


@pytest.mark.parametrize(
    "path", ["data/judgments/demo/mine/0/terse/strict.jsonl", "data/tests/demo.jsonl"]
)
def test_files_that_are_not_there_yet(project: Path, path: str) -> None:
    Path(path).unlink()
    told = refused("--out", "out.json")
    assert f"{path}: not there yet; run `dvc repro`, or `alpacare pull`" in told


def test_answers_are_needed_for_reviews_only(project: Path) -> None:
    Path("data/generations/demo/mine/0.jsonl").unlink()
    assert measured()["pairs"]
    Path("out.json").unlink()
    reviews("ann", "m", "ann", generation=answer_hash(answer(0).output))
    assert "data/generations/demo/mine/0.jsonl: not there yet" in refused()


def test_verdicts_on_another_test_set_are_refused(project: Path) -> None:
    judge("strict", "mmmmmmm")
    assert f"strict.jsonl: item {id_of(6)} is judged, and test set demo lacks it" in refused()


def test_a_reviewer_says_one_thing(project: Path) -> None:
    reviews("ann", "mm", "ann")
    jsonl.write(Path("data/reviews/more.jsonl"), [review(5, "t"), review(1, "r")])
    told = refused()
    assert "data/reviews/more.jsonl:2: ann has already reviewed" in told
    assert "in data/reviews/ann.jsonl:2; keep one of them" in told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verdict", "win"),
        ("criterion", "Very helpful"),
        ("generation", "abc"),
        ("reviewer", "  "),
        ("reviewer", "Ann\x1b[31m"),
        ("reviewer", "Ann\nBob"),
        ("score", 1),
    ],
)
def test_a_bad_row_is_named(project: Path, field: str, value: object) -> None:
    row = {**review(0, "m").model_dump(), field: value}
    good = review(1, "m").model_dump_json()
    Path("data/reviews").mkdir()
    Path("data/reviews/ann.jsonl").write_text(f"{good}\n{json.dumps(row)}\n")
    assert f"data/reviews/ann.jsonl:2: field '{field}': " in refused("--out", "out.json")


def test_reviews_are_never_overwritten(project: Path) -> None:
    reviews("ann", "m", "ann")
    before = Path("data/reviews/ann.jsonl").read_bytes()
    assert "would be overwritten" in refused("--out", "data/reviews/ann.jsonl")
    assert Path("data/reviews/ann.jsonl").read_bytes() == before
