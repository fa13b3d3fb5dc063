"""What the documents say is there."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from statistics import mean

import pytest
from conftest import REPOSITORY

from alpacare.core.settings import check, read_yaml
from alpacare.evaluation.score_table import read_score, row
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
        cells = row(read_score(path))
        assert re.search(r"\s+".join(map(re.escape, [reference, judge, *cells])), text)
    curves = json.loads(committed("metrics/curves.json"))
    assert str(curves["loss_start"]) in text
    assert str(curves["loss_end"]) in text


def test_the_time_of_scoring_is_that_of_the_bench() -> None:
    bench = json.loads((REPOSITORY / "bench/scores.json").read_text())
    seconds = bench["reading_seconds"] + bench["scoring_seconds"]
    text = " ".join((REPOSITORY / "README.md").read_text().split())
    assert f"{bench['replies']:,} verdicts" in text
    assert f"in {seconds:.1f} s on two cores (`python bench/scores.py`)" in text


def test_the_figures_of_the_filter_are_those_of_the_bench() -> None:
    bench = json.loads((REPOSITORY / "bench/filter.json").read_text())
    page = (REPOSITORY / "docs/scaling.md").read_text()
    runs = {run["rows"]: run for run in bench["generated"]["runs"] if "first" in run["method"]}
    runs |= {run["rows"]: run for run in bench["large"]["runs"]}
    assert runs.keys() == {52_000, 520_000, 1_000_000}
    for rows, run in runs.items():
        assert f"| {rows:,} | {run['seconds']:.1f} | {run['peak_gb']} GB |" in page
    for part in ("growth", "large"):
        assert (
            f"power {bench[part]['exponent']}" in page or f"{bench[part]['exponent']} from" in page
        )


def test_the_figures_of_waiting_threads_are_those_of_the_bench() -> None:
    rates = json.loads((REPOSITORY / "bench/busy.json").read_text())["tokens_a_second"]
    page = (REPOSITORY / "docs/performance.md").read_text()
    for who, where in (("as OpenMP does", "OpenMP's own"), ("as ours do", "ours")):
        alone, beside = (mean(rates[f"{where}, {how}"]) for how in ("alone", "beside another"))
        assert f"| {who} | {alone:,.0f} | {beside:,.0f} |" in page
