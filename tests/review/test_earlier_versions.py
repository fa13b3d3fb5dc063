"""What version 0.1.0 wrote before its modules moved: read and used as it is, and paid for nothing.

ledger.sqlite and pack.jsonl hold three recorded answers, responses.jsonl is what was made of them;
review.jsonl is a reviewer's file, agreement.json what was said of it.
"""

import json
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY, run
from reviewed import make_project

from alpacare.cli.main import main
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
    assert Path("out.jsonl").read_bytes() == (HERE / "responses.jsonl").read_bytes()


def test_the_ledger_takes_more_answers_and_is_sound(workspace: Path) -> None:
    Path(".ledger").mkdir()
    shutil.copy(HERE / "ledger.sqlite", ".ledger/ledger.sqlite")
    assert "3" in run(main, "ledger", "verify").output
    assert "3 were there already" in run(main, "ledger", "import", HERE / "pack.jsonl").output


def test_a_review_is_unblinded_as_then(workspace: Path) -> None:
    make_project()
    Path("data/reviews/keys").mkdir(parents=True)
    shutil.copy(HERE / "review.jsonl", "data/reviews/ann.jsonl")
    (key,) = HERE.glob("key-*.json")
    shutil.copy(key, f"data/reviews/keys/{key.name.removeprefix('key-')}")
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    then = json.loads((HERE / "agreement.json").read_text())
    now = json.loads(Path("out.json").read_text())
    for part in ("reviews", "left_out", "bad_files", "people"):
        assert now[part] == then[part]
