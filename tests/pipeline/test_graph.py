"""The picture of the stages: what reads what, how often each runs, and boxes that are apart."""

import re
import shutil
import subprocess
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.pipeline.graph import Stage, read_graph
from alpacare.pipeline.graph_svg import describe_cells

TAG = "{http://www.w3.org/2000/svg}"
CHROMIUM = Path("/usr/bin/chromium")
WIDE = 1280  # pixels: what a laptop shows
Box = tuple[float, float, float, float]  # left, top, right, bottom


@pytest.fixture
def project(params: Path) -> Path:
    shutil.copy(REPOSITORY / "dvc.yaml", params.parent)
    return params


def by_name() -> dict[str, Stage]:
    return {stage.name: stage for stage in read_graph()}


def boxes(picture: Path) -> dict[str, list[Box]]:
    """The cards of each stage, the one in front last."""
    found = {}
    for group in ElementTree.parse(picture).getroot().iter(f"{TAG}g"):
        title = group.find(f"{TAG}title")
        if title is not None and title.text:
            cards = [
                tuple(float(card.attrib[key]) for key in ("x", "y", "width", "height"))
                for card in group.findall(f"{TAG}rect")
            ]
            found[title.text.split(":")[0]] = [(x, y, x + w, y + h) for x, y, w, h in cards]
    return found


def overlap(a: Box, b: Box) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def test_stages_are_linked_by_their_files(project: Path) -> None:
    stages = by_name()
    assert stages["instructions"].reads == ["seeds"]
    assert stages["checkpoint"].reads == ["base_model", "student_rows"]
    answers = {"generations", "model_generations", "local_generations"}
    assert set(stages["judgments"].reads) == answers
    assert stages["scores"].reads == ["judgments"], "generations are read through judgments"
    assert stages["llm_usage"].reads == ["responses"]
    assert (
        stages["seeds"].purpose
        == "seed tasks as people wrote them -> checked, with uniform spelling"
    )
    assert {name for name, stage in stages.items() if stage.asks} >= {"instructions", "judgments"}


def test_cells_are_counted(project: Path) -> None:
    text = project.read_text().replace("tests: [demo]", "tests: [demo, a, b]")
    project.write_text(text.replace("categories: []", "categories: [gpt-4o]"))
    stages = by_name()
    assert (stages["seeds"].cells, stages["checkpoint"].cells) == (1, 4)
    assert (stages["judgments"].cells, stages["local_judgments"].cells) == (12, 0)
    text = describe_cells(stages["judgments"]).replace("\xd7", "x")
    assert text == "3 tests x 2 students x 2 seeds"
    assert "categories" in stages["category_counts"].reads


@pytest.mark.parametrize("judges", ["[]", "[loglik, other]"])
def test_boxes_are_apart_and_arrows_go_down(project: Path, judges: str) -> None:
    text = project.read_text().replace("local_judges: []", f"local_judges: {judges}")
    project.write_text(text)
    result = run(main, "graph")
    assert (result.exit_code, result.output) == (0, "reports/pipeline.svg\n")
    drawn = boxes(Path("reports/pipeline.svg"))
    stages = {name: stage for name, stage in by_name().items() if stage.cells}
    assert drawn.keys() == stages.keys()
    for first, second in combinations(drawn.values(), 2):
        assert not any(overlap(a, b) for a, b in product(first, second))
    for name, stage in stages.items():
        assert len(drawn[name]) == min(3, stage.cells)
        assert all(drawn[other][-1][3] < drawn[name][0][1] for other in stage.reads)
    root = ElementTree.parse("reports/pipeline.svg").getroot()
    assert float(root.attrib["width"]) < WIDE
    assert len(root.findall(f"{TAG}path")) == sum(len(stage.reads) for stage in stages.values())


def test_stages_without_a_cell_are_named(project: Path) -> None:
    run(main, "graph", "picture.svg")
    text = " ".join(re.findall(r'class="note"[^>]*>([^<]*)<', Path("picture.svg").read_text()))
    named = "verified, verified_counts, categories, category_counts, "
    assert f"for want of a cell in params.yaml: {named}" in text


def test_the_same_settings_give_the_same_picture(project: Path) -> None:
    run(main, "graph", "a.svg")
    run(main, "graph", "b.svg")
    assert Path("a.svg").read_bytes() == Path("b.svg").read_bytes()


@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")
def test_chromium_draws_it(project: Path) -> None:
    run(main, "graph", "picture.svg")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,1100"]
    page = (Path.cwd() / "picture.svg").as_uri()
    subprocess.run([*command, "--screenshot=shot.png", page], check=True, capture_output=True)
    assert Path("shot.png").stat().st_size > 20_000, "an empty page is smaller"
