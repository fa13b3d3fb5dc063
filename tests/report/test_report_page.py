"""The page as people have it: a real browser, opened from disk, no network."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import run
from judged_project import NASTY, make_task, write_project

from alpacare.cli.report import report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytest.importorskip("playwright", reason="Playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
ITEMS = 40  # a test set; five outcomes in turn, so eight of each


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on two test sets, two references and two judges; its first task is hostile."""
    folder = tmp_path_factory.mktemp("project")
    write_project(
        folder, {"demo": ITEMS, "other": 10}, ["thorough", "terse"], ["overlap", "longest"]
    )
    return written(folder)


@pytest.fixture(scope="module")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on two students with two seeds each, and on their base."""
    folder = tmp_path_factory.mktemp("study")
    write_project(
        folder,
        {"demo": 10},
        ["terse", "base"],
        ["overlap", "longest"],
        students=["all-rows", "half-rows"],
        seeds=[0, 1],
        contestants=["base"],
    )
    return written(folder)


def written(folder: Path) -> Path:
    write_tables(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = run(report, "--debug")
    assert done.exit_code == 0, done.output
    return folder / "reports/index.html"


def write_tables(folder: Path) -> None:
    """What the stages would say of data and training, hostile too."""
    metrics = folder / "metrics"
    figures = {
        "rows": 3, "without_input_share": 1.0, "answers": None,
        "kinds": dict.fromkeys(("type", "view", "difficulty"), None)
        | {"topic": {"distinct": 2, "entropy_bits": 0.9183, "top_20_entropy_bits": 0.9183}},
        "verbs": {"distinct_pairs": 2, "pair_entropy_bits": 1.0, "top_entropy_bits": 1.0,
                  "with_object": 3, "top_covers_share": 1.0},
        "words": {"instruction": {"rows": 3, "median": 5.0, "p5": 1.0, "p95": 9.0},
                  "input": None, "output": None},
        "nearest": {"rows": {"median": 0.2, "p5": 0.1, "p95": 0.3}, "seeds": None},
    }  # fmt: skip
    tables = {
        "kinds": f'field,value,rows\ntopic,"{NASTY}",2\ntopic,Cardiology,1\n',
        "verbs": f'verb,object,rows\nexplain,"{NASTY}",2\nlist,signs,1\n',
        "lengths": "text,from,to,rows\ninstruction,0,5,3\n",
        "nearest": "among,from,to,rows\nrows,0.1,0.2,3\n",
    }
    for stage in ("seed_statistics", "task_statistics", "statistics"):
        (metrics / stage).mkdir()
        (metrics / f"{stage}.json").write_text(json.dumps(figures))
        for name, text in tables.items():
            (metrics / stage / f"{name}.csv").write_text(text)
    told = {"loss_start": 8.0, "loss_end": 4.0, "steps": 2, "examples": 3, "tokens": 90,
            "response_tokens": 60, "truncated": 0, "held_out": 0, "dropped": 0}  # fmt: skip
    curve = "step,loss,learning_rate\n1,8.0,1e-3\n2,4.0,1e-3\n"
    for name, text in (
        ("training_curves/all-rows/0.json", json.dumps(told)),
        ("training_curves/all-rows/0.csv", curve),
        ("validation/all-rows/0.csv", "step,loss\n2,5.0\n"),
    ):
        (metrics / name).parent.mkdir(parents=True, exist_ok=True)
        (metrics / name).write_text(text)


@pytest.fixture
def context(browser: "Browser") -> Iterator["BrowserContext"]:
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(10_000)
    yield context
    context.close()


def open_page(context: "BrowserContext", file: Path, hash: str = "") -> "Page":
    """Open the page; a message on the console, an error or a request fails the test."""
    page = context.new_page()
    page.on("console", lambda message: pytest.fail(f"console: {message.text}"))
    page.on("pageerror", lambda error: pytest.fail(f"page: {error}"))
    page.on("request", lambda request: _allow(request.url))
    page.goto(file.resolve().as_uri() + hash)
    page.locator("#browse").scroll_into_view_if_needed()
    page.locator("[role=option]").first.wait_for()
    return page


def _allow(url: str) -> None:
    if not url.startswith(("file:", "data:")):
        pytest.fail(f"asked the network for {url}")


def counted(page: "Page") -> str:
    return page.locator("#count").inner_text()


def counts(page: "Page") -> dict[str, int]:
    """The numbers on the filters."""
    found = page.locator("#filters .of").evaluate_all("all => all.map(e => [e.id, e.textContent])")
    return {id.removeprefix("count-"): int(text) for id, text in found}


def test_filters_find_what_fits(context: "BrowserContext", page_file: Path) -> None:
    page = open_page(context, page_file)
    assert counted(page) == "50 of 50 items: all-rows against thorough, judged by overlap."
    page.select_option("[name=test]", "demo")
    page.select_option("[name=against]", "terse")
    page.select_option("[name=judge]", "longest")
    found = counts(page)
    assert found == {
        "all": 40, "won": 8, "lost": 8, "tied": 16, "unreadable": 8, "disagree": 8,
    }  # fmt: skip
    for outcome in ("lost", "won", "unreadable", "tied", "all"):
        page.check(f"input[value={outcome}]")
        assert counted(page).startswith(f"{found[outcome]} of 50 items"), outcome
    page.check("[name=disagree]")
    assert counts(page) == {
        "all": 8, "won": 0, "lost": 0, "tied": 8, "unreadable": 0, "disagree": 8,
    }  # fmt: skip
    page.uncheck("[name=disagree]")
    page.select_option("[name=difficulty]", "unknown")
    assert counted(page).startswith("1 of")
    page.click("[type=reset]")
    page.locator("#count", has_text="50 of").wait_for()  # the page's policy allows no eval


def test_a_task_is_listed_once_and_its_outcomes_add_up(
    context: "BrowserContext", study_file: Path
) -> None:
    page = open_page(context, study_file)
    page.select_option("[name=model]", "all-rows")
    for against, judge in (("terse", "overlap"), ("base", "longest"), ("half-rows", "overlap")):
        page.select_option("[name=against]", against)
        page.select_option("[name=judge]", judge)
        found = counts(page)
        assert found["all"] == page.locator("[role=option]").count() == 10
        assert sum(found[each] for each in ("won", "lost", "tied", "unreadable")) == 10
    page.select_option("[name=against]", "terse")
    for second, unlike in (("base", 0), ("half-rows", 10)):  # the judge says the same of base
        page.select_option("[name=second]", second)
        assert counts(page)["differ"] == unlike


def test_search_looks_into_task_answers_and_id(context: "BrowserContext", page_file: Path) -> None:
    page = open_page(context, page_file)
    id = make_task("demo", 5).id
    for text, found in (("TASK 5 of demo", 1), ("terse says", 50), (id, 1), ("no such words", 0)):
        page.fill("#search", text)
        assert counted(page).startswith(f"{found} of"), text
    assert "No item fits" in page.locator("#item").inner_text()


def test_models_stand_side_by_side_with_every_verdict(
    context: "BrowserContext", study_file: Path
) -> None:
    page = open_page(context, study_file, f"#item=demo/terse/{make_task('demo', 3).id}")
    titles = page.locator("#item h4")
    page.select_option("[name=model]", "all-rows")
    page.select_option("[name=second]", "half-rows")
    page.select_option("[name=third]", "base")
    assert titles.all_inner_texts() == [
        "all-rows, seed 0", "half-rows, seed 0", "base", "terse (reference)",
    ]  # fmt: skip
    tops = page.locator(".answers section").evaluate_all("all => all.map(e => e.offsetTop)")
    assert len(set(tops[:3])) == 1  # beside one another
    assert "cut off" in page.locator(".answers .kind").first.inner_text()
    cells = page.locator("#item tbody tr").first.locator("th, td").all_inner_texts()
    assert cells[0] == "overlap"
    assert " ".join(cells[1].split()) == (
        "T seed 0: won when shown first, lost when second "
        "? seed 1: lost when shown first, unreadable when second"
    )
    assert page.locator("#item tbody tr").count() == 2  # judges
    assert page.locator("#item tbody .mark").count() == 2 * (2 + 2 + 1)  # judges, runs
    page.locator("#item summary").first.click()
    assert "Verdict: model" in page.locator("#item details").first.inner_text()
    page.select_option("[name=seed]", "1")
    assert titles.first.inner_text() == "all-rows, seed 1"


def test_references_are_tabs(context: "BrowserContext", study_file: Path) -> None:
    page = open_page(context, study_file)
    page.select_option("[name=model]", "all-rows")
    tabs = page.locator("#item [role=tab]")
    names = [" ".join(text.split()[:2]) for text in tabs.all_inner_texts()]
    assert names == ["against terse", "against base", "against half-rows"]
    before = counted(page)
    tabs.nth(2).click()
    assert page.locator("#item h4").last.inner_text() == "half-rows, seed 0 (reference)"
    page.keyboard.press("ArrowLeft")
    assert page.locator("#item h4").last.inner_text() == "base (reference)"
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tab"
    assert counted(page) == before  # a tab shows another reference of this task only
    assert page.evaluate("location.hash").startswith("#item=demo/base/")


def test_a_permalink_opens_its_task_whatever_the_filters(
    context: "BrowserContext", page_file: Path
) -> None:
    page = open_page(context, page_file)
    page.fill("#search", "no such words")
    address = f"#item=other/terse/{make_task('other', 6).id}"
    page.evaluate("hash => { location.hash = hash; }", address)
    page.locator("#item", has_text="Task 6 of other").wait_for()
    assert page.locator("#item h4").last.inner_text() == "terse (reference)"
    assert page.locator("#search").input_value() == ""
    assert page.locator("#item header a").get_attribute("href") == address
    page.evaluate("location.hash = '#item=other/thorough/0000'")
    page.get_by_text("This report has no item").wait_for()


def test_the_keyboard_is_enough(context: "BrowserContext", page_file: Path) -> None:
    page = open_page(context, page_file)
    first = page.locator("#item").inner_text()
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator("#list [aria-selected=true]").get_attribute("aria-posinset") == "3"
    assert page.locator("#item").inner_text() != first
    page.keyboard.press("ArrowUp")
    page.keyboard.press("k")
    assert page.locator("#item").inner_text() == first
    page.keyboard.press("End")
    assert page.locator("#list [aria-selected=true]").get_attribute("aria-posinset") == "50"
    active = page.locator("#list").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("/")
    page.keyboard.type("jk task 5 of demo")
    assert page.locator("#search").input_value() == "jk task 5 of demo"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "list"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"


def test_text_stays_text(context: "BrowserContext", page_file: Path) -> None:
    task = make_task("demo", 0)
    page = open_page(context, page_file, f"#item=demo/terse/{task.id}")
    for detail in page.locator("#item details summary").all():
        detail.click()
    seen = page.locator("#item").inner_text()
    assert seen.count(NASTY) == 2 + 2 + 4  # instruction and topic, two answers, four replies
    assert page.locator(".row .what").first.inner_text().startswith(NASTY[:40])
    assert "broken into" not in page.title()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3
    assert page.locator("#kinds-topic svg").inner_html().count("&lt;script&gt;") > 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nobody_is_locked_out(browser: "Browser", study_file: Path, theme: str, width: int) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(
        offline=True,
        viewport={"width": width, "height": 900},
        color_scheme=theme,  # type: ignore[arg-type]
    )
    page = open_page(context, study_file)
    for detail in page.locator("summary:visible").all():
        detail.click()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") == width  # no sideways scrolling
    context.close()


def test_a_phone_shows_the_answer_first(browser: "Browser", study_file: Path) -> None:
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(study_file.as_uri())
    for part in ("h1", "#leaderboard tbody tr:last-child .first >> nth=0"):
        box = page.locator(part).bounding_box()
        assert box, part
        assert box["x"] + box["width"] <= 390, part
        assert box["y"] + box["height"] <= 844, part
    page.locator("#browse").scroll_into_view_if_needed()
    assert page.locator("#search").is_hidden()  # the filters are folded
    page.keyboard.press("/")
    page.keyboard.type("task 3")
    assert counted(page).startswith("1 of 10 items")
    context.close()


def test_charts_take_the_width_of_the_page(context: "BrowserContext", study_file: Path) -> None:
    page = open_page(context, study_file)
    for part in ("scores", "difficulty"):
        panels = page.locator(f"#{part} .card").evaluate_all("all => all.map(e => e.clientWidth)")
        assert sum(panels) > 0.9 * 1240, part


def test_the_theme_is_remembered(context: "BrowserContext", page_file: Path) -> None:
    page = open_page(context, page_file)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.click("#theme")
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"


def test_only_rows_in_sight_are_drawn(context: "BrowserContext", page_file: Path) -> None:
    page = open_page(context, page_file)
    assert page.locator("[role=option]").count() < 40
    page.evaluate("document.getElementById('list').scrollTop = 1900")
    page.locator("[aria-posinset='40']").wait_for()


def test_figures_stand_with_their_intervals(context: "BrowserContext", page_file: Path) -> None:
    page = open_page(context, page_file)
    page.locator("#scores summary").first.click()
    row = page.locator("#scores tbody tr").nth(1).inner_text()
    figures = re.findall(r"[\d.]+ [\d.]+ to [\d.]+", " ".join(row.split()))
    # win rate, longer preferred, consistency; a length control wants 30 longer and 30 shorter ones
    assert len(figures) == 3, row
    assert "–" in row  # noqa: RUF001, there is one seed only
    assert "32 of 40" in row
    assert page.locator("#scores .lanes g").count() == 2 * 2 * 2  # sets, judges, references
    assert page.locator("#leaderboard .dot").count() == 2 * 2  # sets, judges
