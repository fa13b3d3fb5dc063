"""`alpacare report`: from metrics and data to one page and its pictures, or one clear line."""

import gzip
import json
import re
import shutil
from base64 import b64decode
from html import unescape
from pathlib import Path
from typing import Any, get_args

import pytest
from conftest import REPOSITORY, run
from judged_project import make_task, write_project

from alpacare.cli.report import report
from alpacare.comparison.leaderboard import make_boards
from alpacare.core import jsonl
from alpacare.core.files import read_json, write_json
from alpacare.core.settings import read_yaml
from alpacare.evaluation.items import ORDERS
from alpacare.evaluation.score_table import read_score
from alpacare.filtering.heuristics import HEURISTICS
from alpacare.instructions.reply_parser import Reason
from alpacare.pipeline.params import read_params
from alpacare.records.judgment import Judgment
from alpacare.records.task import TestTask
from alpacare.report.averages import average_groups
from alpacare.report.headline import make_headline
from alpacare.report.reasons import reason_in_words
from alpacare.review.key import StudentReview

PAGE, FIGURES = Path("reports/index.html"), Path("reports/figures")
CELL = "demo/all-rows/0/terse/overlap"
JUDGES = ["overlap", "longest"]
STUDENTS = ["all-rows", "half-rows"]


@pytest.fixture
def project(workspace: Path) -> Path:
    """Twenty tasks, two references and two judges; two students, two seeds, and their base."""
    write_project(
        workspace,
        {"demo": 20},
        ["terse", "base"],
        JUDGES,
        students=STUDENTS,
        seeds=[0, 1],
        contestants=["base"],
    )
    return workspace


def items(page: Path = PAGE) -> list[dict[str, Any]]:
    found = re.search(r'id="items">(.*?)</script>', page.read_text(), re.S)
    assert found
    sets = json.loads(gzip.decompress(b64decode(found[1])))
    return [item for each in sets for item in each["items"]]


def test_the_page_holds_the_figures_of_the_metrics(project: Path) -> None:
    done = run(report)
    assert done.exit_code == 0, done.output
    assert str(PAGE) in done.output
    score = read_score(Path(f"metrics/scores/{CELL}.json"))
    assert score.win_rate is not None
    text = re.sub(r"<[^>]+>|\s+", " ", PAGE.read_text())
    assert f"{100 * score.win_rate:.1f}" in text
    assert f"{score.n_valid} of {score.n}" in text


def rows_of(section: str) -> list[str]:
    """The texts of the rows of a section's tables."""
    page = PAGE.read_text().partition(f'<section id="{section}"')[2].partition("</section>")[0]
    found = re.findall(r"<tr[ >].*?</tr>", page, re.S)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in found]


def test_the_leaderboard_has_every_model_before_every_judge(project: Path) -> None:
    assert run(report).exit_code == 0
    board = rows_of("leaderboard")
    for model in (*STUDENTS, "base"):
        assert len([row for row in board if re.match(rf"[\d-]+ {model} ", row)]) == len(JUDGES)
    (line,) = re.findall(r"all-rows against half-rows, judged by overlap: [^<]*", PAGE.read_text())
    assert "points" in line


def test_the_title_is_what_came_out(project: Path) -> None:
    assert run(report).exit_code == 0
    said = "all-rows, half-rows and base cannot be told apart on demo"
    assert f"<h1>{said}</h1>" in PAGE.read_text()
    assert f"<title>{said}, judged by overlap</title>" in PAGE.read_text()  # no Git, so no day


def test_the_headline_names_those_that_lead(project: Path) -> None:
    always("all-rows", "model")
    always("half-rows", "reference")
    assert said_first() == "all-rows leads; base and half-rows are behind"
    always("half-rows", "model")
    assert said_first() == "all-rows and half-rows lead and cannot be told apart; base is behind"


def said_first() -> str:
    found = make_headline(make_boards(read_params(), None, None))
    assert found
    return found.said


def always(model: str, verdict: str) -> None:
    """A judge that always says the same of a student."""
    for path in Path("data/judgments/demo", model).rglob("overlap.jsonl"):
        rows = jsonl.read(path, Judgment)
        jsonl.write(path, [row.model_copy(update={"verdict": verdict}) for row in rows])


def test_every_drop_reason_has_words() -> None:
    filtered = read_json(REPOSITORY / "metrics/filtered.json")["dropped"]
    for reason in (*get_args(Reason), *HEURISTICS, *filtered):
        assert reason_in_words(reason) != reason.replace("_", " ") or not reason, reason


def test_a_student_is_the_mean_over_its_seeds(project: Path) -> None:
    second = Path("metrics/scores/demo/all-rows/1/terse/overlap.json")
    write_json(second, read_json(second) | {"win_rate": 0.7, "ci_low": 0.5, "ci_high": 0.9})
    first = read_score(Path(f"metrics/scores/{CELL}.json"))
    assert first.win_rate == 0.5
    low, high = (
        50 * ((one or 0) + other) for one, other in ((first.ci_low, 0.5), (first.ci_high, 0.9))
    )
    assert run(report).exit_code == 0
    row = next(row for row in rows_of("scores") if row.startswith("all-rows"))
    assert row.startswith(f"all-rows 60.0 {low:.1f} to {high:.1f} 50.0 to 70.0 ")


def test_a_group_of_all_tasks_is_the_leaderboard(project: Path) -> None:
    """Over references, items and seeds; tasks of another difficulty are another group."""
    path = Path("data/tests/demo.jsonl")
    tasks = [json.loads(line) for line in path.read_text().splitlines()]
    jsonl.write(path, [TestTask(**{**task, "difficulty": 3}) for task in tasks])
    params = read_params()
    (board, _) = boards = make_boards(params, None, None)
    rates = {entry.model.name: entry.rate for entry in board.entries}
    assert average_groups(params, {}, boards, "demo", "overlap", "difficulty") == {"3": rates}
    kinds = [2] * 15 + [None] * 5
    jsonl.write(path, [
        TestTask(**{**task, "difficulty": kind}) for task, kind in zip(tasks, kinds, strict=True)
    ])  # fmt: skip
    found = average_groups(params, {}, boards, "demo", "overlap", "difficulty")
    assert {name: rates["all-rows"].n for name, rates in found.items()} == {"2": 15, "unknown": 5}


def test_every_answer_is_in_the_browser(project: Path) -> None:
    assert run(report).exit_code == 0
    for item in items():
        answers = {name: list(seeds) for name, seeds in item["answers"].items()}
        both = ["0", "1"]
        assert answers == {"all-rows": both, "half-rows": both, "base": [""], "terse": [""]}
        assert list(item["against"]) == ["terse", "base", "half-rows"]
        assert list(item["against"]["terse"]) == ["all-rows", "half-rows", "base"]
        assert list(item["against"]["half-rows"]) == ["all-rows"]


def test_the_items_are_those_that_the_score_counts(project: Path) -> None:
    assert run(report).exit_code == 0
    said = [item["against"]["terse"]["all-rows"]["0"]["overlap"] for item in items()]
    assert set(said) == {"Wm/m", "Lr/r", "Tt/t", "T~m/r", "?r/?"}
    score = read_score(Path(f"metrics/scores/{CELL}.json"))
    outcomes = [code[0] for code in said]
    assert [outcomes.count(o) for o in "WTL?"] == [
        score.wins, score.ties, score.losses, score.n - score.n_valid,
    ]  # fmt: skip
    readable = ["~" not in code for code in said if code[0] != "?"]
    assert sum(readable) / len(readable) == score.position_consistency
    replies = [item["replies"]["terse"]["all-rows"]["0"]["overlap"] for item in items()]
    assert {tuple(order for order, *_ in each) for each in replies} == {ORDERS}


def test_same_inputs_same_bytes(project: Path) -> None:
    def all_bytes() -> dict[str, bytes]:
        assert run(report).exit_code == 0
        return {str(p): p.read_bytes() for p in Path("reports").rglob("*") if p.is_file()}

    first = all_bytes()
    shutil.rmtree("reports")
    assert all_bytes() == first


def test_pictures_for_papers_stand_beside_other_files(project: Path) -> None:
    FIGURES.mkdir(parents=True)
    (FIGURES / "ours.png").write_text("drawn by hand")
    assert run(report).exit_code == 0
    names = {path.name for path in FIGURES.iterdir()}
    assert {"win-rates-demo.svg", "win-rates-demo.png", "difficulty-demo-overlap.svg"} <= names
    assert "type-demo-longest.svg" in names
    assert (FIGURES / "ours.png").read_text() == "drawn by hand"
    assert (FIGURES / "win-rates-demo.png").read_bytes().startswith(b"\x89PNG")
    assert "var(--" not in (FIGURES / "win-rates-demo.svg").read_text()
    assert [path.name for path in Path("reports").iterdir() if path.name.startswith(".")] == []


def test_a_clone_without_data_shows_its_metrics(project: Path) -> None:
    for folder in Path("data").glob("*"):
        if folder.name != "tests":
            shutil.rmtree(folder)
    done = run(report)
    assert done.exit_code == 0, done.output
    assert "data/generations/demo/all-rows/0.jsonl" in done.output
    page = PAGE.read_text()
    assert "demo, judged by overlap" in page
    assert "<h1>all-rows, half-rows and base on demo</h1>" in page
    assert 'id="items"' not in page
    assert "<code>alpacare pull</code>" in page


def test_nothing_at_all_is_a_page_too(workspace: Path) -> None:
    write_project(workspace, {"demo": 5}, ["terse"], ["overlap"])
    shutil.rmtree("metrics")
    shutil.rmtree("data")
    done = run(report)
    assert done.exit_code == 0, done.output
    assert "Nothing is scored yet" in PAGE.read_text()


def test_the_checked_in_metrics_make_every_part(workspace: Path) -> None:
    for name in ("params.yaml", "dvc.yaml", "dvc.lock"):
        shutil.copyfile(REPOSITORY / name, name)
    for name in ("metrics", "students", "data/seeds", "data/tests"):
        shutil.copytree(REPOSITORY / name, name)
    done = run(report)
    assert done.exit_code == 0, done.output
    page = PAGE.read_text()
    for part in (
        "leaderboard",
        "scores",
        "difficulty",
        "answers",
        "training",
        "data",
        "cost",
        "origin",
    ):
        assert f'<section id="{part}"' in page
    for figure in ("verbs", "funnel", "loss", "kinds-type", "nearest-seeds", "lengths-output"):
        assert f'<figure id="{figure}">' in page
        assert (FIGURES / f"{figure}.svg").exists()
    assert PAGE.stat().st_size < 5e6
    assert ">sanity check<" in page
    assert "12 near-duplicates of another instruction" in page
    assert (FIGURES / "verbs-sunburst.svg").exists()
    lock = (REPOSITORY / "dvc.lock").read_text()
    assert set(re.findall(r"<code>([0-9a-f]{32}(?:\.dir)?)</code>", page)) <= set(
        re.findall(r"md5: (\S+)", lock)
    )


def review(number: int, verdict: str, reviewer: str = "ann") -> StudentReview:
    return StudentReview(
        id=make_task("demo", number).id,
        test="demo",
        reference="terse",
        student="all-rows",
        training_seed=1,
        reviewer=reviewer,
        criterion="correctness",
        verdict=verdict,  # type: ignore[arg-type]
    )


def test_people_are_shown_beside_the_judges(project: Path) -> None:
    said = ["model", "reference", "tie", "model"] * 5
    jsonl.write(Path("data/reviews/ann.jsonl"), [review(n, v) for n, v in enumerate(said)])
    assert run(report).exit_code == 0
    text = " ".join(re.sub(r"<[^>]+>", " ", PAGE.read_text()).split())
    assert "What people say" in text
    assert re.search(r"people, correctness 20 62\.5 [\d.]+ to [\d.]+", text)
    assert "overlap and reviewers, correctness" in text


def test_what_people_and_prices_say_stands_below_the_leaderboard(workspace: Path) -> None:
    write_project(
        workspace, {"demo": 100}, ["terse"], ["mtbench"], students=["all-rows"], seeds=[1]
    )
    said = ["model", "reference", "tie", "model", "tie"] * 16  # as the judge does
    jsonl.write(Path("data/reviews/ann.jsonl"), [review(n, v) for n, v in enumerate(said)])
    assert run(report).exit_code == 0
    text = " ".join(re.sub(r"<[^>]+>", " ", PAGE.read_text()).split())
    assert re.search(r"Corrected by people , judged by mtbench: all-rows, correctness: \d", text)
    assert re.search(r"one point narrower, judged by mtbench: all-rows: \d+ test items, now", text)
    rows = rows_of("people")
    assert any(re.match(r"mtbench, Rogan-Gladen [\d.]+ [\d.]+ to [\d.]+", row) for row in rows)


def test_what_says_nothing_says_why(project: Path) -> None:
    jsonl.write(Path("data/reviews/ann.jsonl"), [review(n, "model") for n in range(9)])
    assert run(report).exit_code == 0
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", PAGE.read_text())).split())
    assert "people's alone, 7 reviewed items that the judge could read, and 60 are needed" in text
    assert re.search(r"overlap and longest [\d,]+ 20 [^a-z]* to [^a-z]* . 20 test items, and", text)
    assert "all-rows against terse, no length-controlled win rate: the model's answer is" in text
    groups = [row for row in rows_of("difficulty") if row.startswith("difficulty")]
    assert len(groups) == 2 * 6  # judges; five difficulties and an unknown one
    assert all("few)" in row for row in groups)
    assert PAGE.read_text().count('class="number few"') == 3 * len(groups)


def test_people_who_contradict_themselves_spoil_no_page(project: Path) -> None:
    jsonl.write(Path("data/reviews/ann.jsonl"), [review(0, "model")])
    jsonl.write(Path("data/reviews/bob.jsonl"), [review(0, "reference")])
    done = run(report)
    assert done.exit_code == 0, done.output
    assert "has already reviewed" in done.output
    assert PAGE.read_text().count("has already reviewed") > 1
    assert "not corrected: data/reviews/" in PAGE.read_text()


def break_line(path: str, old: str, new: str) -> None:
    text = Path(path).read_text()
    assert old in text
    Path(path).write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        ("params.yaml", "tests: ['demo']", "tests: demo", "params.yaml: tests"),
        (f"metrics/scores/{CELL}.json", '"n"', '"m"', f"{CELL}.json: field"),
        (f"metrics/scores/{CELL}.json", "{", "[", "not valid JSON"),
        (f"data/judgments/{CELL}.jsonl", "}\n", "\n", f"{CELL}.jsonl:1: not valid JSON"),
        ("data/generations/demo/all-rows/0.jsonl", '"id"', '"name"', "0.jsonl:1: field"),
        ("students/all-rows.yaml", "max_seq_length", "longest", "students/all-rows.yaml: "),
        ("data/tests/demo.jsonl", '"difficulty": 1', '"difficulty": 9', "demo.jsonl:1: field"),
    ],
)
def test_bad_files_are_one_line(project: Path, path: str, old: str, new: str, told: str) -> None:
    break_line(path, old, new)
    done = run(report)
    assert done.exit_code == 2, done.output
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert not PAGE.exists()
    assert not FIGURES.exists()


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            "step,loss\n1,2\n",
            "0.csv:1: expected the columns step,loss,learning_rate",
        ),
        (
            "step,loss,learning_rate\n1,high,0\n",
            "0.csv:2: loss 'high' is no float",
        ),
        (
            "step,loss,learning_rate\n1,2\n",
            "0.csv:2: 2 values, expected 3",
        ),
    ],
)
def test_bad_tables_are_one_line(project: Path, table: str, told: str) -> None:
    name = "metrics/training_curves/all-rows/0.json"
    write_json(Path(name), read_json(REPOSITORY / name))
    held_out = Path("metrics/validation/all-rows/0.csv")
    held_out.parent.mkdir(parents=True)
    held_out.write_text("step,loss\n")
    Path(name).with_suffix(".csv").write_text(table)
    done = run(report)
    assert done.exit_code == 2
    assert told in done.output
    assert not PAGE.exists()


def test_places_that_cannot_be_written_to(project: Path) -> None:
    Path("folder").mkdir()
    Path("file").write_text("mine")
    for arguments, told in (
        (("--out", "folder"), "folder: is a folder; name a file"),
        (("--figures", "file"), "file: is a file; name a folder"),
    ):
        done = run(report, *arguments)
        assert done.exit_code == 2
        assert told in done.output
    assert Path("file").read_text() == "mine"
    Path("params.yaml").unlink()
    assert "params.yaml: no such file" in run(report).output


def test_hashes_are_those_of_the_lock_file(project: Path) -> None:
    shutil.copyfile(REPOSITORY / "dvc.lock", "dvc.lock")
    stages = read_yaml(Path("dvc.lock"))["stages"].values()
    outs = [(out["path"], out["md5"]) for stage in stages for out in stage.get("outs", [])]
    assert run(report).exit_code == 0
    page = PAGE.read_text()
    assert re.findall(r'row">([^<]+)</th><td><code>([0-9a-f.dir]+)</code>', page) == outs


@pytest.mark.parametrize("mark", ["<<<<<<< ours\n", "stages: [\n"])
def test_a_lock_file_in_conflict_is_one_line(project: Path, mark: str) -> None:
    Path("dvc.lock").write_text(mark + (REPOSITORY / "dvc.lock").read_text())
    done = run(report)
    assert done.exit_code == 2
    assert "dvc.lock: not a lock file of DVC" in done.output
    assert not PAGE.exists()
