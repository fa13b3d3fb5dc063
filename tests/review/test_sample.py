"""Which items are drawn, and what the page and the key say of them."""

import json
from collections import Counter
from pathlib import Path

import pytest
from conftest import run
from hypothesis import given
from hypothesis import strategies as st
from reviewed import SCRIPT, draw, make_project, make_task, read_key

from alpacare.cli.review import review
from alpacare.records.task import TestTask
from alpacare.review.sample import apportion, choose_tasks

PAGE = Path("reports/review/demo-mine-0-terse.html")


def test_quotas_by_largest_remainder() -> None:
    """10 of 50, 30 and 17: 5.15, 3.09 and 1.75; the last place goes to the largest remainder."""
    assert apportion({"1": 50, "2": 30, "3": 17}, 10) == {"1": 5, "2": 3, "3": 2}


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=9), st.data())
def test_quotas_add_up_and_ask_no_stratum_for_more_than_it_has(
    sizes: dict[str, int], data: st.DataObject
) -> None:
    n = data.draw(st.integers(0, sum(sizes.values())))
    quotas = apportion(sizes, n)
    assert sum(quotas.values()) == n
    for name, quota in quotas.items():
        assert abs(quota - n * sizes[name] / sum(sizes.values())) < 1
        assert 0 <= quota <= sizes[name]


def plain(number: int, **known: object) -> TestTask:
    task = make_task(number)
    return task.model_copy(update={"difficulty": None, "type": None, **known})


def test_strata_are_difficulties_else_types_else_nothing() -> None:
    hard = [make_task(n) for n in range(30)]  # of each difficulty ten
    by_id = {task.id: task for task in hard}
    drawn = choose_tasks(hard, 9, seed=0)
    assert Counter(by_id[id].difficulty for id in drawn) == {1: 3, 2: 3, 3: 3}
    typed = [plain(n, type="chat" if n < 20 else "rewriting") for n in range(30)]
    kinds = {task.id: task.type for task in typed}
    assert Counter(kinds[id] for id in choose_tasks(typed, 6, 0)) == {"chat": 4, "rewriting": 2}
    assert len(set(choose_tasks([plain(n) for n in range(30)], 7, 0))) == 7


def test_the_seed_decides_and_the_order_of_the_file_does_not() -> None:
    tasks = [make_task(n) for n in range(30)]
    assert choose_tasks(tasks, 12, 0) == choose_tasks(tasks[::-1], 12, 0)
    assert choose_tasks(tasks, 12, 0) != choose_tasks(tasks, 12, 1)


def test_who_is_who_stands_in_the_key_and_nowhere_else(workspace: Path) -> None:
    make_project()
    told = draw("--n", 10).output
    key = read_key()
    assert f"data/reviews/keys/{key['sample']}.json: whose answer is A; commit it" in told
    assert (key["test"], key["reference"], key["seed"]) == ("demo", "terse", 0)
    assert (key["student"], key["training_seed"]) == ("mine", 0)
    assert Counter(item["a"] for item in key["items"]) == {"model": 5, "reference": 5}
    page = PAGE.read_text()
    secret = "student", "seed", "terse", "demo", "generator", "reference", "model", "generation"
    for word in secret:
        assert word not in page.lower(), word
    shown = json.loads(page.partition('id="sample">')[2].partition("</script>")[0])
    for item, sides in zip(shown["items"], key["items"], strict=True):
        assert item["id"] == sides["id"]
        assert item["a"].startswith("Mine" if sides["a"] == "model" else "Theirs")
        assert set(item) == {"id", "instruction", "input", "a", "b"}


def test_texts_are_data(workspace: Path) -> None:
    make_project()
    draw("--n", 12)
    page = PAGE.read_text()
    assert SCRIPT not in page
    assert page.count("<script") == 2
    assert "http" not in page.replace("http-equiv", "").replace("plain http", "")


def test_the_same_page_again_and_another_one_once_the_student_answers_otherwise(
    workspace: Path,
) -> None:
    make_project()
    draw("--n", 10)
    first = PAGE.read_bytes()
    PAGE.unlink()
    draw("--n", 10)
    assert PAGE.read_bytes() == first
    answers = Path("data/generations/demo/mine/0.jsonl")
    answers.write_text(answers.read_text().replace("Mine", "Now mine"))
    draw("--n", 10)
    assert PAGE.read_bytes() != first
    assert len(list(Path("data/reviews/keys").iterdir())) == 2


def test_a_reviewers_name_is_filled_in_and_escaped(workspace: Path) -> None:
    make_project()
    draw("--n", 3, "--reviewer", "</script><b>Ann")
    assert "\\u003c/script>\\u003cb>Ann" in PAGE.read_text()


def test_any_student_and_seed_and_one_student_against_another(workspace: Path) -> None:
    make_project(students=("first", "second"), seeds=(0, 1))
    done = run(review, "demo", "second", "--seed", 1, "--n", 4, "--out", "page.html")
    assert done.exit_code == 0, done.output
    key = read_key()
    assert (key["student"], key["training_seed"], key["reference"]) == ("first", 1, "second")
    page = Path("page.html").read_text()
    assert page.count('"first 1: ') == page.count('"second 1: ') == 4
    assert run(review, "demo", "terse", "--student", "second", "--n", 4).exit_code == 0
    assert Path("reports/review/demo-second-0-terse.html").exists()
    assert len(list(Path("data/reviews/keys").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["demo", "terse", "--n", "13"], "--n 13: 12 items with both answers"),
        (["demo", "gpt-5"], "'gpt-5' is not one of the references of params.yaml: terse"),
        (["demo", "mine"], "'mine' is the student itself; name who it meets: terse"),
        (["other", "terse"], "'other' is not one of the tests of params.yaml: demo"),
        (
            ["demo", "terse", "--student", "x"],
            "'x' is not one of the students of params.yaml: mine",
        ),
        (["demo", "terse", "--seed", "7"], "7 is not one of the training_seeds of params.yaml: 0"),
        (
            ["demo", "terse", "--n", "3", "--reviewer", "\x1b[31m"],
            "a name must be visible text",
        ),
        (["demo", "terse", "--n", "3", "--out", "data"], "data: is a folder"),
    ],
)
def test_wrong_wishes(workspace: Path, arguments: list[str], told: str) -> None:
    make_project()
    done = run(review, *arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert not PAGE.exists()


def test_answers_that_are_not_there_yet(workspace: Path) -> None:
    make_project()
    Path("data/model_generations/demo/terse.jsonl").unlink()
    done = run(review, "demo", "terse")
    assert done.exit_code == 2
    assert "data/model_generations/demo/terse.jsonl: not there yet; run `dvc repro`" in done.output
