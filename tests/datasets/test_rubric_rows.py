"""HealthBench's form comes in: items with rubrics, and physicians' labels; all written for this."""

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import REPOSITORY, run
from own_project import make_project

from alpacare.cli.main import main
from alpacare.core.errors import BadInput
from alpacare.core.settings import check, read_yaml
from alpacare.datasets.catalogue import PublishedDataset
from alpacare.datasets.json_tables import read_json
from alpacare.records.labelled import read_labels
from alpacare.records.test_set import read_test_set

ITEMS = REPOSITORY / "tests/healthbench_items.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in ITEMS.read_text().splitlines()]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_project(folder)
    return folder


@pytest.fixture
def project(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = workspace / "project"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    return folder


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    host = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{host.server_address[1]}"
    host.shutdown()
    host.server_close()


def import_rows(*rows: dict[str, Any]) -> Result:
    Path("../ours.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return run(main, "test-set", "ours", "../ours.jsonl")


def test_the_catalogue_fetches_items_and_writes_down_what_came(project: Path) -> None:
    name = "2026-01-02-03-04-05_items.jsonl"
    (project.parent / "served").mkdir()
    shutil.copy(ITEMS, project.parent / "served" / name)
    with serving(project.parent / "served") as address:
        entry = f"ours:\n  kind: tests\n  rows: 10\n  licence: ours\n  files:\n    {address}/{name}"
        Path("configs/datasets.yaml").write_text(f"{entry}: null\n")
        done = run(main, "fetch", "ours")
    assert done.exit_code == 0, done.output
    assert "ours.jsonl: 10 tasks, answers by nobody" in done.output
    assert "left out: all answers of physician, who has none to 8 of 10 tasks" in done.output
    assert "rubrics: 34 criteria" in done.output
    assert "null" not in Path("configs/datasets.yaml").read_text()
    tasks = read_test_set(Path("data/tests/ours.jsonl"))
    assert [len(task.messages or ()) for task in tasks] == [0, 3, 0, 3, 0, 0, 0, 0, 3, 4]
    assert tasks[1].instruction.startswith("user: I have had a runny nose")
    assert tasks[0].tags == ["theme:emergency_referrals", "physician_agreed_category:emergent"]
    assert (tasks[0].rubrics[3].points, tasks[0].rubrics[3].tags[1]) == (-10, "axis:accuracy")


def test_published_sets_have_a_name_that_cannot_change_and_no_hash_yet() -> None:
    known = read_yaml(REPOSITORY / "configs/datasets.yaml")
    for name in ("healthbench", "healthbench-hard", "healthbench-labels"):
        assert [*check(known[name], PublishedDataset, "").files.values()] == [None]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"prompt": []}, "messages: the conversation is empty"),
    ({"prompt": ROWS[1]["prompt"][:2]}, "the last turn is the assistant's"),
    ({"rubrics": ROWS[0]["rubrics"][3:]}, "no criterion has points above 0"),
    ({"rubrics": ROWS[0]["rubrics"][:1] * 2}, 'a criterion comes twice: "Says to call'),
    ({"rubrics": [{"criterion": "x", "points": "5"}]}, "field 'points': input should be a valid"),
    ({"rubrics": []}, "no rubrics: wanted a list"),
    ({"rubrics": [{"criterion": "x", "points": 1e308}]}, "has 1e+308 points; give it 0.001 to"),
    ({"rubrics": [{"criterion": "x", "points": 0}]}, "has 0 points; give it 0.001 to 1,000,000"),
]


def test_items_that_cannot_be_graded_are_dropped_and_named_with_their_rows(project: Path) -> None:
    noted = [*ROWS[0]["rubrics"][:-1], ROWS[0]["rubrics"][-1] | {"weight": 2}]
    bad = [ROWS[1] | change for change, _ in BAD]
    plain = {"prompt": None, "messages": ROWS[1]["prompt"], "expect": "answer"}  # without rubrics
    done = import_rows(ROWS[0] | {"rubrics": noted}, *bad, plain)
    assert done.exit_code == 0, done.output
    assert "fields 'rubrics.weight' (1)" in done.output
    assert "ours.jsonl: 2 tasks," in done.output
    assert "without rubrics: 1 task, which no judge by rubrics grades" in done.output
    assert [len(task.rubrics) for task in read_test_set(Path("data/tests/ours.jsonl"))] == [4, 0]
    dropped = Path("data/dropped/tests/ours.jsonl").read_text().splitlines()
    for number, (line, (_, said)) in enumerate(zip(dropped, BAD, strict=True), start=2):
        assert f"ours.jsonl:{number}: " in json.loads(line)["witness"]
        assert said in json.loads(line)["witness"]
    assert "dropped: 5 bad_rubrics: ../ours.jsonl:4: rubrics: no criterion" in done.output


@pytest.mark.parametrize("row", [ROWS[0], {"instruction": "x", "rubrics": ROWS[0]["rubrics"]}])
def test_one_item_as_a_document_is_one_row(tmp_path: Path, row: dict[str, Any]) -> None:
    path = tmp_path / "item.json"
    path.write_text(json.dumps(row, indent=2))
    assert [each.values for each in read_json(path, "item.json")] == [row]


def test_a_file_without_an_item_that_can_be_used_is_refused(project: Path) -> None:
    done = import_rows(*(row | {"prompt": []} for row in ROWS[:2]))
    assert done.exit_code == 2
    assert "not one row can be used (2 no_conversation" in done.output
    assert not Path("data/tests/ours.jsonl").exists()


def test_labels_are_gathered_by_answer(project: Path) -> None:
    row = {
        "prompt": ROWS[1]["prompt"], "completion": "Rest.", "rubric": "Says to rest",
        "binary_labels": [True, False], "category": "cluster:hedging_x", "completion_id": "c",
    }  # fmt: skip
    rows = [
        row,
        row | {"rubric": "Is short", "binary_labels": [True]},
        row | {"completion": "Run."},
    ]
    bad = [row | {"binary_labels": ["yes"]}, row | {"rubric": "Says  to rest"}]
    bad += [row | {"rubric": "\u200b"}]
    path = Path("../labels.jsonl")
    path.write_text("".join(json.dumps(each) + "\n" for each in (*rows, *bad)))
    done = run(main, "labels", "ours", path)
    assert done.exit_code == 0, done.output
    assert "ours.jsonl: 2 answers, 3 criteria, 5 labels" in done.output
    assert "1 no_labels: ../labels.jsonl:4: 'binary_labels' must be" in done.output
    assert "1 same_criterion: ../labels.jsonl:5" in done.output
    assert "1 no_criterion: ../labels.jsonl:6" in done.output
    first, other = read_labels(Path("data/labels/ours.jsonl"))
    assert [each.labels for each in first.criteria] == [[True, False], [True]]
    assert first.task().id == other.task().id
    assert first.id != other.id
    written = Path("data/labels/ours.jsonl")
    text = written.read_text()
    for wrong, message in (
        (text.replace("Is short", "Says  to rest"), "rubrics: a criterion comes twice"),
        (text.replace('"Run."', '"Walk."'), f"id '{other.id}' is not the hash of question"),
    ):
        written.write_text(wrong)
        with pytest.raises(BadInput, match=message):
            read_labels(written)
