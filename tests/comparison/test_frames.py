"""`import alpacare` in a notebook: frames of the working tree and of commits, and what is wrong."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pytest
from benchmarks.rigged import item, write_results
from clones import Clone, quick_clone
from conftest import REPOSITORY
from judged_project import write_project

import alpacare
from alpacare.comparison.leaderboard import make_boards
from alpacare.core import jsonl
from alpacare.core.files import read_json, write_json
from alpacare.evaluation.score import Cell
from alpacare.pipeline import paths
from alpacare.pipeline.params import read_params
from alpacare.records.judgment import Judgment
from alpacare.records.response import Response
from alpacare.records.rubric import RubricJudgment
from alpacare.records.task import row_id

CELL = Cell("demo", "one", 1, "gpt_4", "overlap")
BASE = Cell("demo", "base", None, "gpt_4", "overlap")


@pytest.fixture
def project(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two students of two seeds each and their base, in Git as a whole."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace.parent / f"{workspace.name}-site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    write_project(
        workspace, {"demo": 20}, ["gpt_4", "base"], ["overlap", "longest"],
        students=["one", "two"], seeds=[0, 1], contestants=["base"],
    )  # fmt: skip
    rows, params = [response(number) for number in range(6)], read_params()
    jsonl.write(paths.training_rows(params), rows)
    for run in params.runs():
        write_json(paths.answer_statistics("demo", run), {"dollars": 0.5})
    write_json(paths.answer_statistics("demo"), {"base": {"dollars": 0.25}})
    jsonl.write(paths.student_rows("two"), rows[:2])
    write_grades_and_results()
    git("init", "-q", "-b", "main")
    commit("then")
    return workspace


def write_grades_and_results() -> None:
    text = Path("params.yaml").read_text().replace("rubric_judges: []", "rubric_judges: [graded]")
    Path("params.yaml").write_text(text.replace("benchmarks: []", "benchmarks: [exam]"))
    questions = [item(f"Question {n}?", list("wxyz"), 0) for n in range(2)]
    for name, seed in [*read_params().runs(), ("base", None)]:
        criteria = [{"criterion": f"Says {n}", "points": 2.0 + n, "met": n == 0} for n in range(2)]
        row = {"id": "a", "judge": "graded", "tags": ["theme:x"], "criteria": criteria}
        unread = [criteria[0], criteria[1] | {"met": None}]
        path = paths.rubric_judgments("demo", name, seed, "graded")
        graded = (row, row | {"id": "b", "criteria": unread})
        jsonl.write(path, [RubricJudgment(**each, replies=[]) for each in graded])
        write_results("exam", name, seed, "AB", questions)


def response(number: int) -> Response:
    text = f"Question {number}?"
    return Response(
        id=row_id(text, ""), instruction=text, input="", output="Yes.", finish_reason="stop",
        model="teacher", request="", difficulty=None if number else 3,
    )  # fmt: skip


def git(*arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def commit(message: str) -> None:
    git("add", "--all", "--force")
    git("commit", "-q", "-m", message)


def wrong(call: str, **arguments: str) -> str:
    with pytest.raises(alpacare.BadInput) as caught:
        getattr(alpacare, call)(**arguments)
    return str(caught.value)


def test_importing_it_loads_nothing_that_is_slow() -> None:
    heavy = "{'pandas', 'numpy', 'pydantic', 'dvc', 'click', 'torch'}"
    program = f"import sys, alpacare; print(dir(alpacare), {heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    names = ["BadInput", "benchmark_results", "items", "leaderboard", "responses", "rubric_grades",
             "scores"]  # fmt: skip
    assert done.stdout.strip() == f"{names} set()", done.stderr


def test_scores_are_those_of_the_files(project: Path) -> None:
    frame = alpacare.scores()
    assert len(frame) == len(read_params().cells())
    assert not frame.duplicated(list(Cell._fields)).any()
    row = frame.set_index(list(Cell._fields)).loc[tuple(CELL)]
    found = read_json(paths.score(CELL))
    for column, key in (("win_rate", "win_rate"), ("low", "ci_low"), ("n", "n_valid")):
        assert row[column] == found[key]
    assert found["length_controlled"]["win_rate"] is None, "one side is always longer"
    assert pd.isna(row["length_controlled"])
    assert frame[frame["model"] == "base"]["seed"].isna().all()
    assert str(frame["seed"].dtype) == "Int64"
    chosen = alpacare.scores(test="demo", judge="longest", model="base")
    assert chosen[["judge", "model"]].drop_duplicates().values.tolist() == [["longest", "base"]]


def test_items_have_both_verdicts_and_their_mean(project: Path) -> None:
    """SAID of each item in both orders; here from its third item on, as it is the second run."""
    frame = alpacare.items(judge="overlap", model="one")
    own = frame[(frame["seed"] == 1) & (frame["reference"] == "gpt_4")].head(5)
    assert own["model_first"].tolist() == ["reference", "tie", "model", "reference", "model"]
    second = own["reference_first"]
    assert second.isna().tolist() == [False, False, False, True, False]
    assert second.dropna().tolist() == ["reference", "tie", "reference", "model"]
    assert own["preference"].dropna().tolist() == [0.0, 0.5, 0.5, 1.0]
    assert own["difficulty"].tolist() == [1, 2, 3, 4, 5]
    assert frame.groupby(["model", "seed", "reference"]).size().unique().tolist() == [20]


def test_a_win_rate_is_the_mean_of_its_items(project: Path) -> None:
    names = list(Cell._fields)
    means = alpacare.items().groupby(names, dropna=False)["preference"].mean().reset_index()
    both = means.merge(alpacare.scores(), on=names)
    assert len(both) == len(read_params().cells())
    assert both["preference"].tolist() == pytest.approx(both["win_rate"].tolist(), abs=5e-5)


def test_of_several_samples_the_verdict_of_most(project: Path) -> None:
    rows = jsonl.read(paths.judgments(BASE), Judgment)
    said = ("model", "model", "reference")
    jsonl.write(paths.judgments(BASE), [
        row.model_copy(update={"sample": sample, "verdict": verdict})
        for row in rows for sample, verdict in enumerate(said)
    ])  # fmt: skip
    frame = alpacare.items(judge="overlap", model="base").head(20)
    assert set(frame["model_first"]) == set(frame["reference_first"]) == {"model"}
    assert frame["preference"].tolist() == pytest.approx([2 / 3] * 20)


def test_the_leaderboard_is_that_of_the_command(project: Path) -> None:
    frame = alpacare.leaderboard()
    boards = make_boards(read_params(), None, None)
    told = [
        (board.test, board.judge, *row.rank, row.model.name, *row.rate.model_dump().values())
        for board in boards
        for row in board.entries
    ]
    columns = ["test", "judge", "rank", "worst_rank", "model", "win_rate", "low", "high", "n"]
    assert [tuple(row) for row in frame[columns].values] == told
    training = [row.parts.training for board in boards for row in board.entries]
    assert frame["half_width_training"].tolist() == training
    assert set(frame["seeds"]) == {0, 2}
    assert frame[frame["test"] == "demo"]["dollars"][:3].sum() == 2 * 2 * 0.5 + 0.25
    against = frame.set_index(["judge", "model"])["vs_base"]
    assert against.isna()["overlap", "base"]
    assert 0 < against["overlap", "one"] < 1


def test_responses_of_all_and_of_one_student(project: Path) -> None:
    frame = alpacare.responses()
    assert list(frame.columns) == list(Response.model_fields)
    assert frame["difficulty"].isna().sum() == 5
    assert frame["difficulty"][0] == 3
    assert alpacare.responses(student="two")["id"].tolist() == frame["id"][:2].tolist()


def test_rubric_grades_and_benchmark_results_by_item(project: Path) -> None:
    grades = alpacare.rubric_grades(model="one")
    assert grades.columns.tolist() == [
        "test", "id", "model", "seed", "judge", "score", "criteria", "met", "unread", "tags"
    ]  # fmt: skip
    assert grades["seed"].tolist() == [0, 0, 1, 1]
    assert grades["score"].tolist()[::2] == [0.4, 0.4]
    assert grades["score"].isna().tolist() == [False, True] * 2
    assert grades[["criteria", "met", "unread"]].values.tolist()[:2] == [[2, 1, 0], [2, 1, 1]]
    for seed in (0, 1):
        paths.benchmark_results("exam", "two", seed).unlink()
    with pytest.warns(UserWarning, match="left out: data/benchmark_results/exam/two/0.jsonl: not"):
        results = alpacare.benchmark_results()
    assert results["model"].unique().tolist() == ["one", "base"]
    assert results[["answer", "chosen", "score"]].values.tolist()[:2] == [[0, 0, 1.0], [0, 1, 0.0]]
    assert "no model 'x' in students and models.local" in wrong("benchmark_results", model="x")
    assert "no judge 'overlap' in judgments.rubric_judges" in wrong(
        "rubric_grades", judge="overlap"
    )
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("[graded]", "[]").replace("[exam]", "[]"))
    assert "judgments.rubric_judges is empty" in wrong("rubric_grades")
    assert wrong("benchmark_results") == "params.yaml names no benchmarks"


def test_a_commit_is_read_whatever_the_working_tree_is(project: Path) -> None:
    calls = [alpacare.scores, alpacare.items, alpacare.leaderboard, alpacare.responses,
             alpacare.rubric_grades, alpacare.benchmark_results]  # fmt: skip
    before = [call() for call in calls]
    text, found = re.subn(r"(?m)^students: .*", "students: [two]", Path("params.yaml").read_text())
    assert found
    Path("params.yaml").write_text(text)
    git("rm", "-q", "-r", "-f", "data", "metrics/scores/demo/one")
    commit("now")
    Path("notebooks").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir("notebooks")
        for call, frame in zip(calls, before, strict=True):
            pd.testing.assert_frame_equal(call(rev="HEAD~1"), frame)
        assert Path.cwd() == project / "notebooks"
        assert set(alpacare.scores()["model"]) == {"two", "base"}
    assert wrong("responses", rev="HEAD~1", student="x").startswith("HEAD~1: no student 'x'")
    assert subprocess.check_output(["git", "status", "--short"]) == b""


def test_settings_that_the_frames_do_not_need_may_be_of_an_earlier_version(project: Path) -> None:
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("\nfiltered:", "\nfiltered:\n  of_old: 1\n"))
    commit("with a key that is gone")
    Path("params.yaml").write_text(text)
    assert len(alpacare.scores(rev="HEAD")) == len(alpacare.scores())


def test_a_wrong_name_is_one_exception_with_those_that_there_are(project: Path) -> None:
    told = "no model 'x' in params.yaml; students: one, two; other contestants: base"
    assert wrong("scores", model="x") == wrong("items", model="x") == told
    assert wrong("scores", test="x") == "no test 'x' in tests of params.yaml: demo"
    assert wrong("items", judge="x") == "no judge 'x' in judgments of params.yaml: overlap, longest"
    assert wrong("responses", student="base") == (
        "no student 'base' in students of params.yaml: one, two"
    )
    git("tag", "submitted")
    for call in ("scores", "items", "leaderboard", "responses"):
        assert re.search(
            r"^cannot read nope: .*; branches and tags here: main, submitted; or a hash of `git",
            wrong(call, rev="nope"),
        )
    assert wrong("scores", rev="").startswith(
        "no commit is named; name one, such as HEAD~1; branch"
    )


def test_a_commit_before_there_were_students(project: Path) -> None:
    texts = {name: Path(name).read_text() for name in ("params.yaml", "dvc.yaml")}
    Path("params.yaml").write_text("tests: [demo]\n")
    Path("dvc.yaml").write_text("stages: {}\n")
    commit("old")
    for name, text in texts.items():
        Path(name).write_text(text)
    assert wrong("scores", rev="HEAD") == (
        "HEAD:params.yaml: names no students; it is older than this pipeline"
    )


def test_what_a_commit_lacks_is_told(project: Path) -> None:
    score = paths.score(CELL)
    git("rm", "-q", str(score))
    commit("one score less")
    with pytest.warns(UserWarning, match=f"left out: HEAD:{score}: not in that commit"):
        assert len(alpacare.scores(rev="HEAD", judge="overlap")) == 10
    assert wrong("scores", rev="HEAD~1", model="three").startswith("HEAD~1: no model 'three'")


def test_outside_a_clone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        assert "start the notebook in a clone, or call os.chdir(" in wrong("scores")


def test_what_is_missing_is_told_and_nothing_at_all_is_an_error(project: Path) -> None:
    paths.judgments(CELL).unlink()
    told = re.escape(f"left out: {paths.judgments(CELL)}: not there yet; run `dvc repro`")
    with pytest.warns(UserWarning, match=told) as caught:
        assert len(alpacare.items(judge="overlap")) == 20 * 10
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"left out: no row for one; "):
        assert set(alpacare.leaderboard(judge="overlap")["model"]) == {"two", "base"}
    for cell in read_params().cells():
        paths.score(cell).unlink()
    with warnings.catch_warnings(action="error"):
        assert wrong("scores", model="base").count("not there yet") == 2
    paths.training_rows(read_params()).unlink()
    assert "not there yet; run `dvc repro`, or `alpacare pull`" in wrong("responses")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A pipeline that has run, and an empty commit."""
    made = quick_clone(tmp_path_factory, "notebook")
    made.commit("nothing new")
    return made


@pytest.mark.slow
def test_the_blocks_of_the_page_run(clone: Clone) -> None:
    page = (REPOSITORY / "docs/notebook.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 8
    told = clone.ok(sys.executable, "-W", "error::UserWarning", "-c", "\n".join(blocks))
    (shown,) = re.findall(r"# (no model .*?) \.\.\.", page)
    assert told.startswith(shown)


@pytest.mark.slow
def test_results_of_a_commit_come_from_the_cache_of_dvc(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone.folder)
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", clone.environment["DVC_SITE_CACHE_DIR"])
    calls = [alpacare.scores, alpacare.items, alpacare.leaderboard, alpacare.responses]
    before = [call() for call in calls]
    half = alpacare.responses(student="half-rows")
    aside = clone.folder / "data"
    aside.rename(clone.folder.parent / "data-aside")
    try:
        for call, frame in zip(calls, before, strict=True):
            pd.testing.assert_frame_equal(call(rev="HEAD~1"), frame)
        pd.testing.assert_frame_equal(alpacare.responses("HEAD~1", student="half-rows"), half)
        assert not aside.exists()
    finally:
        (clone.folder.parent / "data-aside").rename(aside)
    assert len(half) == 12
