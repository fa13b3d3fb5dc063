"""The documentation site as `make docs` builds it: strict, complete, readable without a network."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import REPOSITORY

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("mkdocs", reason="mkdocs is not installed; run `make docs`")
pytest.importorskip("playwright", reason="Playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
PAGES = ("index.html", "train.html", "examples.html", "glossary.html", "api.html")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; strict, so a link or an anchor that leads nowhere ends the build."""
    folder = tmp_path_factory.mktemp("site")
    done = build(REPOSITORY, folder)
    assert done.returncode == 0, done.stderr
    return folder


def build(project: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    # with --quiet, mkdocs would count no warning and be strict no more
    command = ["mkdocs", "build", "--strict", "--site-dir", str(folder)]
    return subprocess.run(command, cwd=project, capture_output=True, text=True)


def test_a_link_to_a_heading_that_is_not_there_ends_the_build(tmp_path: Path) -> None:
    for name in ("tools", "src"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / "docs").mkdir()
    for name in ("architecture.md", "notebook.md"):  # the API page links to them
        (tmp_path / "docs" / name).write_text("# A page\n")
    shutil.copy(REPOSITORY / "mkdocs.yml", tmp_path)
    page = tmp_path / "docs/index.md"
    page.write_text("# Start\n\n[there](#start) and [a file](../README.md)\n")
    assert build(tmp_path, tmp_path / "site").returncode == 0
    page.write_text("# Start\n\n[nowhere](#end)\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "#end" in done.stderr


def test_every_page_is_in_the_navigation(site: Path) -> None:
    from mkdocs.config import load_config

    def leaves(entry: Any) -> Iterator[str]:
        if isinstance(entry, str):
            yield entry
        else:
            for part in entry.values() if isinstance(entry, dict) else entry:
                yield from leaves(part)

    named = list(leaves(load_config(str(REPOSITORY / "mkdocs.yml")).nav))
    assert len(named) == len(set(named))
    assert {path.name for path in (REPOSITORY / "docs").glob("*.md")} <= set(named)


def test_no_page_loads_anything_from_another_address(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        loaded = re.findall(r"<(?:script|img|iframe|source)[^>]* src=\"?([^\" >]+)", text)
        loaded += re.findall(
            r"<link[^>]* rel=\"?(?:stylesheet|icon|preconnect)[^>]* href=\"?([^\" >]+)", text
        )
        assert loaded
        assert [address for address in loaded if "//" in address] == [], page.name


def test_the_api_page_has_the_functions_of_the_notebook(site: Path) -> None:
    text = (site / "api.html").read_text()
    for name in ("leaderboard", "scores", "rubric_grades", "responses", "Filter", "Ledger"):
        assert re.search(rf'<h3 id="{name.lower()}', text), name


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    site: Path, browser: "Browser", width: int, scheme: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        tab.goto((site / name).as_uri())
        tab.wait_for_load_state()
        found = Axe().run(tab).response["violations"]
        assert [(each["id"], [n["html"] for n in each["nodes"]][:3]) for each in found] == [], name
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    tab.close()


def test_the_search_works_in_a_page_from_disk(site: Path, browser: "Browser") -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 900})
    tab.goto((site / "index.html").as_uri())
    tab.locator("input.md-search__input").click()
    tab.keyboard.type("decontamination")
    first = tab.locator(".md-search-result__link").first
    first.wait_for(timeout=20_000)
    assert ".html" in str(first.get_attribute("href"))
    tab.close()
