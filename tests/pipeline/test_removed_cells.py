"""A student, seed or judge taken out of params.yaml leaves no stale figures behind."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.file_lock import hold_lock
from alpacare.core.settings import read_yaml
from alpacare.pipeline.dvc_yaml import cells
from alpacare.pipeline.removed_cells import remove_left_cells

LOCK = Path("dvc.lock")


@pytest.fixture
def project(params: Path) -> Path:
    """What Git has after a run, and an output that it has not."""
    for name in ("dvc.yaml", "dvc.lock"):
        shutil.copy(REPOSITORY / name, name)
    shutil.copytree(REPOSITORY / "metrics", "metrics")
    Path(".dvc/tmp").mkdir(parents=True)
    Path("data/generations/demo/half-rows").mkdir(parents=True)
    return params


def change(params: Path, key: str, value: str) -> None:
    text = params.read_text()
    params.write_text(re.sub(rf"^( *{key}:).*", rf"\1 {value}", text, count=1, flags=re.MULTILINE))


def files() -> set[str]:
    return {str(path) for path in Path("metrics").rglob("*") if path.is_file()}


def test_a_student_that_is_removed_takes_its_figures_with_it(project: Path) -> None:
    before, lock, others = files(), read_yaml(LOCK), LOCK.stat().st_size
    change(project, "students", "[all-rows]")
    change(project, "head_to_head", "all-rows")
    (line,) = remove_left_cells()
    gone = {path for path in before if re.search(r"/half-rows(/0|/1|\.json)", path)}
    assert gone
    assert before - files() == {path for path in gone if "/all-rows/" not in path}
    assert not Path("metrics/scores/demo/half-rows").exists()
    assert Path("data/generations/demo/half-rows").exists(), "the cache would have to give it back"
    after = read_yaml(LOCK)
    assert after["stages"].keys() == lock["stages"].keys() & cells().keys()
    assert after["stages"] == {name: lock["stages"][name] for name in after["stages"]}
    assert LOCK.stat().st_size < others
    assert LOCK.read_text() == Path(".dvc/tmp/dvc.lock.copy").read_text()
    assert re.search(r"no longer name: \d+ cells \(student_rows@half-rows, .* \d+ of their", line)
    assert list(remove_left_cells()) == []


def test_a_seed_that_is_removed_leaves_the_other(project: Path) -> None:
    before = files()
    change(project, "training_seeds", "[1]")
    (_,) = remove_left_cells()
    gone = before - files()
    assert gone == {path for path in before if re.search(r"-rows/0[./]", path)}


def test_what_another_cell_writes_now_stays(project: Path) -> None:
    """A stage under a new name, or an axis that no output names, such as the engine."""
    before = files()
    text = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(text.replace("\n  training_curves:\n", "\n  loss_curves:\n"))
    change(project, "engines", "[continuous]")
    (_,) = remove_left_cells()
    assert files() == before
    assert not [name for name in read_yaml(LOCK)["stages"] if "batched" in name]


def test_nothing_is_touched_while_dvc_runs(project: Path) -> None:
    text = LOCK.read_text()
    change(project, "training_seeds", "[1]")
    with hold_lock(Path(".dvc/tmp/lock")), pytest.raises(Exception, match="DVC"):
        list(remove_left_cells())
    assert LOCK.read_text() == text


def test_a_path_that_leads_out_of_metrics_is_left(project: Path) -> None:
    """A dvc.lock comes from whoever the clone is from."""
    entry = "  scores@old:\n    cmd: x\n    outs:\n    - path: metrics/../data/generations\n"
    LOCK.write_text(LOCK.read_text() + entry)
    (line,) = remove_left_cells()
    assert "scores@old" in line
    assert Path("data/generations").exists()
