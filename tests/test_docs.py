"""What the documents say is there."""

import json
import re
import subprocess
import tomllib
from itertools import product
from statistics import fmean

import pytest
from conftest import REPOSITORY

from alpacare.core.settings import check, read_yaml
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


def test_the_readme_is_short_and_its_picture_small() -> None:
    assert len((REPOSITORY / "README.md").read_text().splitlines()) <= 150
    assert (REPOSITORY / "docs/images/report.png").stat().st_size < 200_000


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


def rates(path: str, judge: str) -> dict[str, float]:
    """Win rates in % by reference, from a file of win rates as it was committed."""
    found = json.loads(committed(path))
    del found["items"]
    return {reference: 100 * judges[judge]["win_rate"] for reference, judges in found.items()}


def test_the_readme_shows_the_committed_leaderboard() -> None:
    text, params = committed("README.md"), check(read_yaml(PARAMS), Params, "")
    for test, judge in product(params.tests, params.judgments.all_judges):
        board = text.split(f"{test}, judged by {judge}")[1].split("judged by")[0]
        for student in params.students:
            paths = [f"metrics/win_rates/{test}/{student}/{n}.json" for n in params.training_seeds]
            runs = [rates(path, judge) for path in paths]
            mean, *others = means(params, runs)
            row = re.search(rf"^ *[\d-]+ +{student} +(.*)$", board, re.M)
            assert row, student
            assert float(row[1].split()[0]) == pytest.approx(mean, abs=0.06)
            shown = [float(each) for each in re.findall(r"\d+\.\d", row[1])]
            assert all(any(abs(each - one) < 0.06 for one in shown) for each in others)


def means(params: Params, runs: list[dict[str, float]]) -> list[float]:
    """Give the mean that a row shows, and that against each reference which competes too."""
    averaged = params.judgments.averaged
    others = [[name] for name in runs[0] if name not in averaged]
    return [fmean(run[name] for run in runs for name in names) for names in (averaged, *others)]


def test_the_readme_shows_the_committed_losses() -> None:
    params = check(read_yaml(PARAMS), Params, "")
    run = params.runs()[0]
    curves = json.loads(committed(f"metrics/training_curves/{run.student}/{run.seed}.json"))
    found = f"{curves['loss_start']} to {curves['loss_end']} nats"
    assert found in " ".join(committed("README.md").split())
