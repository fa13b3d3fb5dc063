"""The workflow for CI asks for what is there, and its own checks find what they look for."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from clones import Clone, copy_tree
from conftest import REPOSITORY

from alpacare.core.settings import read_yaml

WORKFLOW = read_yaml(REPOSITORY / ".github/workflows/ci.yml")
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """As CI has it: what is in Git, and no data."""
    folder = tmp_path_factory.mktemp("ci") / "clone"
    folder.mkdir()
    copy_tree(folder)
    return Clone(folder).start()


def stale(clone: Clone) -> subprocess.CompletedProcess[str]:
    return clone.run("bash", "tools/stale-lock")


def test_each_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    asked = {name for step in STEPS for name in re.findall(r"^make (\S+)", step.get("run", ""))}
    assert {"lint", "types", "test", "stale"} <= asked
    assert asked <= targets


def test_actions_are_pinned_by_commit() -> None:
    actions = [step["uses"] for step in STEPS if "uses" in step]
    assert actions
    for action in actions:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action), action


def test_it_needs_no_secret_and_may_write_nothing_but_the_comment() -> None:
    assert "secrets." not in (REPOSITORY / ".github/workflows/ci.yml").read_text()
    assert WORKFLOW["permissions"] == {"contents": "read"}
    granted = [job.get("permissions", {}) for job in WORKFLOW["jobs"].values()]
    writes = {name for each in granted for name, right in each.items() if right != "read"}
    assert writes == {"pull-requests"}
    assert not any("${{" in step.get("run", "") for step in STEPS)  # no text of others in a shell


def test_a_lock_that_is_up_to_date(clone: Clone) -> None:
    done = stale(clone)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "dvc.lock: up to date\n"


def test_a_stale_lock_is_told_by_its_stages(clone: Clone) -> None:
    with (
        clone.edited("params.yaml", "  take: null", "  take: 5"),
        clone.edited("params.yaml", "  resamples: 2000", "  resamples: 1000"),
        clone.edited("src/alpacare/stages/training_curves.py", '"""', '"""Now '),
    ):
        done = stale(clone)
    assert done.returncode == 2
    line = done.stderr.removesuffix("\n")
    assert line.startswith("error: dvc.lock is stale: ")
    assert {"seeds", "training_curves@all-rows-0", "scores@demo-half-rows-1"} <= set(line.split())
    assert "\n" not in line
    assert clone.git("status", "--short") == ""


def test_a_pipeline_that_cannot_be_read_is_not_up_to_date(clone: Clone) -> None:
    with clone.edited("dvc.yaml", "stages:", "stages: ["):
        done = stale(clone)
    assert done.returncode == 2
    assert "DVC cannot tell" in done.stderr


def compare(clone: Clone, folder: Path) -> str:
    """Run the step that compares the metrics, and give what it would post."""
    step: dict[str, Any] = next(step for step in STEPS if "BASE" in step.get("env", {}))
    summary = folder / "summary"
    clone.environment |= {
        "BASE": "HEAD",
        "RUNNER_TEMP": str(folder),
        "GITHUB_STEP_SUMMARY": str(summary),
    }
    # GitHub's own shell for a step
    clone.ok("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"])
    assert summary.read_text() == (folder / "metrics.md").read_text()
    return summary.read_text()


def test_the_metrics_are_compared_without_data(clone: Clone, tmp_path: Path) -> None:
    assert compare(clone, tmp_path).endswith("None has moved.\n")
    (tmp_path / "summary").unlink()
    path = "metrics/win_rates/demo/all-rows/0.json"
    with clone.edited(path, '"win_rate": ', '"win_rate": 1'):
        assert re.search(rf"\| {path} +\| \w+\.\w+\.win_rate ", compare(clone, tmp_path))


def test_what_runs_here_runs_there() -> None:
    for name in ("stale-lock", "container"):
        assert os.access(REPOSITORY / "tools" / name, os.X_OK), name
