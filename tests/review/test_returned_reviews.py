"""Files that come back: unblinded, and one that cannot be relied on spoils no other."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from reviewed import draw, export, give_back, make_project, read_key, sign

from alpacare.cli.main import main
from alpacare.cli.review import review
from alpacare.records.judgment import Verdict

Key = dict[str, Any]


@pytest.fixture
def key(workspace: Path) -> Key:
    """A sample of ten that is out for review."""
    make_project()
    draw("--n", 10)
    return read_key()


def said(key: Key, letters: str, criterion: str = "correctness") -> dict[str, dict[str, Verdict]]:
    """Verdicts on the first items, a letter each."""
    words: dict[str, Verdict] = {"m": "model", "r": "reference", "t": "tie"}
    return {
        item["id"]: {criterion: words[letter]}
        for item, letter in zip(key["items"], letters, strict=False)
    }


def agreed() -> dict[str, Any]:
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(Path("out.json").read_text())
    return found


def test_verdicts_are_unblinded(key: Key) -> None:
    """Seven won, one tie, two lost: (7 + 0.5) / 10."""
    give_back("ann", export(key, "Ann", said(key, "mmmmmmmtrr")))
    report = agreed()
    assert (report["reviews"], report["left_out"], report["bad_files"]) == (10, {}, [])
    (people,) = report["people"]
    assert (people["test"], people["reference"], people["criterion"]) == (
        "demo", "terse", "correctness",
    )  # fmt: skip
    assert people["reviewers"] == 1
    rate = people["rate"]
    assert (rate["win_rate"], rate["n"]) == (0.75, 10)
    assert rate["ci_low"] < 0.6 < 0.75 < rate["ci_high"] < 1
    (corrected,) = report["corrected"]
    assert corrected["win_rate"]["value"] == 0.75, "people's alone"
    assert corrected["why"] == "10 reviewed items that the judge could read, and 60 are needed"
    assert corrected["rogan_gladen"]["value"] is None
    (pair,) = report["pairs"]
    assert (pair["first"], pair["second"], pair["overall"]["n"]) == ("overlap", "reviewers", 10)
    output = " ".join(run(main, "agreement").output.split())
    assert "75.0 (" in output
    pair = "overlap on demo, mine (seed 0) against terse, correctness"
    assert f"{pair}: people's alone, 10 reviewed items" in output


def test_an_item_is_the_mean_of_its_reviewers(key: Key) -> None:
    give_back("ann", export(key, "Ann", said(key, "mm")))
    give_back("bob", export(key, "Bob", said(key, "rm")))
    (people,) = agreed()["people"]
    assert (people["rate"]["win_rate"], people["rate"]["n"], people["reviewers"]) == (0.75, 2, 2)


def test_the_page_may_be_gone(key: Key) -> None:
    give_back("ann", export(key, "Ann", said(key, "mmm")))
    before = agreed()
    Path("reports/review/demo-mine-0-terse.html").unlink()
    assert agreed() == before


def test_windows_line_ends_do_no_harm(key: Key) -> None:
    text = export(key, "Ann", said(key, "mm"))
    give_back("ann", "").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert agreed()["reviews"] == 2


def cut(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-2])


def cut_in_a_line(text: str) -> str:
    return text[: len(text) * 2 // 3]


def other_verdict(text: str) -> str:
    return text.replace('"a"', '"b"', 1) if '"a"' in text else text.replace('"b"', '"a"', 1)


def line_lost(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(lines[:1] + lines[2:])


def headless(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[1:])


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (cut, "its last line, a checksum, is missing, so it was cut off"),
        (cut_in_a_line, "not valid JSON"),
        (other_verdict, "its checksum does not match"),
        (line_lost, "its checksum does not match"),
        (headless, "its checksum does not match"),
        (lambda text: "", "is empty"),
    ],
)
def test_harm_on_the_way_is_told_and_others_count(
    key: Key, harm: Callable[[str], str], told: str
) -> None:
    give_back("ann", harm(export(key, "Ann", said(key, "mmm"))))
    give_back("bob", export(key, "Bob", said(key, "mr")))
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    first, *others = done.output.splitlines()
    assert first.startswith("left out: data/reviews/ann.jsonl")
    assert told in first
    assert not [line for line in others if "ann" in line.lower()]
    report = json.loads(Path("out.json").read_text())
    assert report["reviews"] == 2
    assert [told in problem for problem in report["bad_files"]] == [True]


def change(key: Key, place: int, **fields: object) -> str:
    """An export with a changed line and a checksum that fits."""
    rows = [json.loads(line) for line in export(key, "Ann", said(key, "mmm")).splitlines()[:-1]]
    rows[place] |= fields
    return sign(rows)


@pytest.mark.parametrize(
    ("place", "fields", "told"),
    [
        (0, {"sample": "0" * 16}, "the key that says whose answer is A, is missing"),
        (0, {"sample": "../../params"}, "field 'sample'"),
        (0, {"reviewer": " "}, "field 'reviewer'"),
        (0, {"page": 1}, "field 'page'"),
        (0, {"items": 99}, "says that its page has 99 items, and sample"),
        (0, {"items": 0}, "says that its page has 0 items, and sample"),
        (2, {"id": "0000000000000000"}, "item 0000000000000000 is not in sample"),
        (2, {"verdicts": {"correctness": "model"}}, "field 'verdicts.correctness'"),
        (2, {"verdicts": {"Very good": "a"}}, "field 'verdicts.Very good"),
    ],
)
def test_what_no_page_exports(key: Key, place: int, fields: dict[str, object], told: str) -> None:
    give_back("ann", change(key, place, **fields))
    done = run(main, "agreement")
    assert done.exit_code == 2
    (line,) = done.output.splitlines()
    assert line.startswith("error: data/reviews/ann.jsonl")
    assert told in line


def rewrite_key(key: Key, **changes: object) -> Path:
    path = Path(f"data/reviews/keys/{key['sample']}.json")
    path.write_text(json.dumps(key | changes))
    return path


def other_sides(items: list[Key]) -> list[Key]:
    return [item | {"a": "reference" if item["a"] == "model" else "model"} for item in items]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda items: [*items, *other_sides(items[:1])], "item {} is in it twice"),
        (other_sides, "was changed after it was drawn"),
        (lambda items: [*other_sides(items[:1]), *items[1:]], "was changed after it was drawn"),
    ],
)
def test_a_key_that_was_changed_counts_for_nobody(
    key: Key, change: Callable[[list[Key]], list[Key]], told: str
) -> None:
    give_back("ann", export(key, "Ann", said(key, "mm")))
    path = rewrite_key(key, items=change(key["items"]))
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 2
    (line,) = done.output.splitlines()
    told = told.format(key["items"][0]["id"])
    assert line.startswith(f"error: data/reviews/ann.jsonl: its key {path}: {told}")
    assert "git checkout" in line
    assert not Path("out.json").exists()
    assert run(review, "demo", "terse", "--n", 10).exit_code == 2, "nor is another page made of it"


def test_an_earlier_versions_key_has_no_hash_and_holds_no_item_twice(key: Key) -> None:
    give_back("ann", export(key, "Ann", said(key, "mm")))
    rewrite_key(key, sha256=None)
    assert agreed()["reviews"] == 2
    rewrite_key(key, sha256=None, items=[*key["items"], *other_sides(key["items"][:1])])
    told = f"item {key['items'][0]['id']} is in it twice"
    assert told in run(main, "agreement").output


def test_a_file_without_verdicts_is_named(key: Key) -> None:
    give_back("ann", export(key, "Ann", {}))
    give_back("bob", export(key, "Bob", said(key, "m")))
    (problem,) = agreed()["bad_files"]
    assert problem.startswith("data/reviews/ann.jsonl: has no verdicts yet")


def test_one_name_written_in_several_ways_is_one_reviewer(key: Key) -> None:
    give_back("a", export(key, "Ren\u00e9 Roe ", said(key, "m")))
    give_back("b", export(key, "rene\u0301  roe", said(key, "mr")))
    give_back("c", export(key, "REN\u00c9 ROE", said(key, "mrt")))
    report = agreed()
    assert (report["reviews"], report["left_out"]) == (3, {"the same in two files": 3})
    assert report["people"][0]["reviewers"] == 1
    give_back("d", export(key, "Ren\u00e9 roe", said(key, "r")))
    assert "d.jsonl:2, correctness: Ren\u00e9 Roe has already" in run(main, "agreement").output


def test_an_item_twice_in_a_file(key: Key) -> None:
    rows = [json.loads(line) for line in export(key, "Ann", said(key, "mmm")).splitlines()[:-1]]
    give_back("ann", sign([*rows, rows[1]]))
    assert "is already on line 2" in run(main, "agreement").output


def test_all_files_bad_is_an_error(key: Key) -> None:
    give_back("ann", "x\n")
    give_back("bob", "")
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 2
    assert "ann.jsonl:1: not valid JSON" in done.output
    assert "and no other file is good: 1 more" in done.output
    assert not Path("out.json").exists()


def test_the_same_export_twice_counts_once(key: Key) -> None:
    give_back("monday", export(key, "Ann", said(key, "mm")))
    give_back("friday", export(key, "Ann", said(key, "mmr")))
    report = agreed()
    assert (report["reviews"], report["left_out"]) == (3, {"the same in two files": 2})


def test_a_reviewer_who_changed_their_mind_says_one_thing(key: Key) -> None:
    give_back("a", export(key, "Ann", said(key, "mm")))
    give_back("b", export(key, "Ann", said(key, "mr")))
    done = run(main, "agreement")
    assert done.exit_code == 2
    assert "data/reviews/b.jsonl:3, correctness: Ann has already reviewed" in done.output


@pytest.mark.parametrize("side", ["generations/demo/mine/0", "model_generations/demo/terse"])
def test_answers_that_have_changed_since(key: Key, side: str) -> None:
    give_back("ann", export(key, "Ann", said(key, "mmm")))
    path = Path(f"data/{side}.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if row["id"] == key["items"][0]["id"]:
            row["output"] += " And more."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = agreed()
    assert report["reviews"] == 2
    assert report["left_out"] == {"item or answer has changed since": 1}


def test_two_answers_that_are_the_same_are_a_tie(workspace: Path) -> None:
    make_project()
    path = Path("data/generations/demo/mine/0.jsonl")
    path.write_text(path.read_text().replace("Mine", "Theirs"))
    draw("--n", 10)
    key = read_key()
    give_back("ann", export(key, "Ann", said(key, "mmmmmmmmmm")))
    (people,) = agreed()["people"]
    assert people["rate"]["win_rate"] == 0.5


def test_one_reviewer_may_read_the_answers_of_two_students(workspace: Path) -> None:
    make_project(students=("first", "second"), seeds=(0, 1))
    for name, verdicts in (("first", "mmm"), ("second", "rrr")):
        draw("--n", 10, "--student", name, "--seed", 1)
        (path,) = (p for p in Path("data/reviews/keys").iterdir() if name in p.read_text())
        given = json.loads(path.read_text())
        give_back(name, export(given, "Ann", said(given, verdicts)))
    people = agreed()["people"]
    assert [(each["model"], each["seed"], each["rate"]["win_rate"]) for each in people] == [
        ("first", 1, 1.0),
        ("second", 1, 0.0),
    ]
