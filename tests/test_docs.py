"""What the documents say is there."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.settings import check, read_yaml
from alpacare.evaluation.score_table import format_score, read_score
from alpacare.pipeline.params import Params

PARAMS = REPOSITORY / "params.yaml"
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: object) -> None:
    text = page.read_text()  # type: ignore[attr-defined]
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if "://" not in link:
            assert (page.parent / link).exists(), link  # type: ignore[attr-defined]
    for path in re.findall(r"`((?:src|tests|tools|docs|prompts)/[\w./-]+\.\w+)`", text):
        assert (REPOSITORY / path).exists(), path


def test_every_dependency_is_justified_and_pinned() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *(line for extra in extras for line in extra)]
    names = {re.split(r"[<>=\[]", line)[0] for line in wanted}
    rows = re.findall(
        r"^\| ([\w.,\- ]+) \|", (REPOSITORY / "docs/dependencies.md").read_text(), re.M
    )
    justified = {name for row in rows for name in row.split(", ")} - {"package"}
    assert names == justified - {"---"}
    locks = REPOSITORY.glob("requirements*.lock")
    pinned = "".join(lock.read_text() for lock in locks).lower()
    for name in names:
        pattern = re.sub(r"[-_.]", "[-_.]", name)
        assert re.search(rf"^{pattern}==", pinned, re.M), name


def test_make_targets_in_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.M))
    named = set(re.findall(r"`?make ([a-z]+)`?", (REPOSITORY / "README.md").read_text()))
    assert named
    assert named <= targets


def committed(path: str) -> str:
    """A file as it was committed: on another kind of processor `make demo` changes metrics."""
    command = ["git", "-C", str(REPOSITORY), "show", f"HEAD:{path}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_readme_shows_the_committed_figures(workspace: Path) -> None:
    text = committed("README.md")
    for test, reference, judge in check(read_yaml(PARAMS), Params, "").cells():
        path = workspace / f"{judge}.json"
        path.write_text(committed(f"metrics/scores/{test}/{reference}/{judge}.json"))
        cells = format_score(read_score(path))
        assert re.search(r"\s+".join(map(re.escape, [reference, judge, *cells])), text)
    curves = json.loads(committed("metrics/training_curves.json"))
    assert str(curves["loss_start"]) in text
    assert str(curves["loss_end"]) in text
