"""What earlier versions wrote: read and used as it is, and paid for nothing.

ledger.sqlite and the packs, without and with digests, hold three recorded answers; responses.jsonl
is what was made of them. review.jsonl is a reviewer's file from before students had names,
agreement.json what was said of it; reviews/ holds today's: a key, a file from the page and rows.
scores/ has a score of each format, in order. A format that changes gets another file here, beside
the old.
"""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from reviewed import make_project

from alpacare.cli.main import main
from alpacare.core.jsonl import validate
from alpacare.evaluation.score import Score
from alpacare.evaluation.score_table import read_score
from alpacare.llm.cache_pack import read_pack
from alpacare.review.key import Key, StudentReview, all_keys
from alpacare.review.returned_reviews import read_reviews
from alpacare.stages.responses import main as responses

HERE = REPOSITORY / "tests/historic"
OPTIONS = [
    *("--dropped", "dropped.jsonl", "--usage", "usage.json"),
    *("--prompt", REPOSITORY / "prompts/responses"),
]


@pytest.mark.parametrize("kept_in", ["ledger", "pack"])
def test_answers_are_found_again(params: Path, kept_in: str) -> None:
    """BUDGET is not set, and the endpoint is none that could be asked."""
    pack = ["--pack", HERE / "pack.jsonl"] if kept_in == "pack" else []
    if kept_in == "ledger":
        Path(".ledger").mkdir()
        shutil.copy(HERE / "ledger.sqlite", ".ledger/ledger.sqlite")
    done = run(responses, HERE / "filtered.jsonl", "out.jsonl", *OPTIONS, *pack)
    assert done.exit_code == 0, done.output
    then, now = (
        path.read_text().splitlines() for path in (HERE / "responses.jsonl", Path("out.jsonl"))
    )
    for old, new in zip(then, now, strict=True):  # with the kind of the task since then
        assert json.loads(old).items() <= json.loads(new).items()


def test_the_ledger_takes_more_answers_and_is_sound(workspace: Path) -> None:
    Path(".ledger").mkdir()
    shutil.copy(HERE / "ledger.sqlite", ".ledger/ledger.sqlite")
    assert "3" in run(main, "ledger", "verify").output
    assert "3 were there already" in run(main, "ledger", "import", HERE / "pack.jsonl").output


@pytest.mark.parametrize("pack", sorted(HERE.glob("pack*.jsonl")), ids=lambda path: path.name)
def test_every_pack_comes_in_and_says_the_same(workspace: Path, pack: Path) -> None:
    assert "3 answers imported" in run(main, "ledger", "import", pack).output
    here, first = ({e.key: e.response for e in read_pack(p)} for p in (pack, HERE / "pack.jsonl"))
    assert here == first


SCORES = sorted(HERE.glob("scores/*.json"))


@pytest.mark.parametrize("path", SCORES, ids=lambda path: path.name)
def test_every_score_is_read(path: Path) -> None:
    score = read_score(path)
    kept = json.loads(path.read_text())
    assert {name: score.model_dump()[name] for name in kept} == kept


def test_todays_formats_are_kept_here_too() -> None:
    """Who changes a format adds a file of the new one, so that later versions read it."""
    assert set(json.loads(SCORES[-1].read_text())) == set(Score.model_fields)
    (key,) = (json.loads(path.read_text()) for path in HERE.glob("reviews/key-*.json"))
    assert set(key) == set(Key.model_fields)
    (row, *_) = (HERE / "reviews/cleo.jsonl").read_text().splitlines()
    assert set(json.loads(row)) == set(StudentReview.model_fields)


def test_reviews_of_today_are_read(workspace: Path) -> None:
    Path("data/reviews/keys").mkdir(parents=True)
    (path,) = HERE.glob("reviews/key-*.json")
    shutil.copy(path, f"data/reviews/keys/{path.name.removeprefix('key-')}")
    returned = read_reviews(sorted(HERE.glob("reviews/*.jsonl")))
    assert returned.bad_files == []
    (key,) = all_keys()
    assert key.width == 40
    assert {review.reviewer for review in returned.reviews} == {"Ben", "Cleo"}
    assert len(returned.reviews) == 2 * len(key.items) + 4


def copy_review() -> Path:
    Path("data/reviews/keys").mkdir(parents=True)
    (key,) = HERE.glob("key-*.json")
    shutil.copy(key, f"data/reviews/keys/{key.name.removeprefix('key-')}")
    return Path(shutil.copy(HERE / "review.jsonl", "data/reviews/ann.jsonl"))


def test_a_key_of_one_student_only_is_as_it_was_drawn(workspace: Path) -> None:
    returned = read_reviews([copy_review()])
    assert returned.bad_files == []
    assert len(returned.reviews) == 10
    assert {(review.student, review.training_seed) for review in returned.reviews} == {(None, None)}


def test_a_key_that_was_hashed_before_students_had_names_still_fits(workspace: Path) -> None:
    (path,) = HERE.glob("key-*.json")
    key = json.loads(path.read_text())
    assert "sha256" not in key
    key["sha256"] = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    assert validate(Key, key, "key").student is None


def test_a_review_is_unblinded_as_then(workspace: Path) -> None:
    make_project()
    copy_review()
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    then = json.loads((HERE / "agreement.json").read_text())
    now = json.loads(Path("out.json").read_text())
    for part in ("reviews", "left_out", "bad_files"):
        assert now[part] == then[part]
    about = {"model": "mine", "seed": 0}  # whose answers have the hashes in the key
    assert now["people"] == [each | about for each in then["people"]]
