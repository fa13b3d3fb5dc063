"""The page as a reviewer has it: a real browser, no network, the keyboard alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import run
from reviewed import SCRIPT, draw, export, make_project, read_key

from alpacare.cli.main import main

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytest.importorskip("playwright", reason="Playwright is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")

PAGE = Path("reports/review/demo-mine-0-terse.html")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: "Browser", workspace: Path) -> Iterator["BrowserContext"]:
    """A browser's profile without network, and a sample of ten to review."""
    make_project()
    draw("--n", 10)
    context = browser.new_context(offline=True, viewport=SIZES["desk"])  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    yield context
    context.close()


def open_page(context: "BrowserContext") -> "Page":
    """Open the page; a message on the console, or a request, fails the test."""
    page = context.new_page()
    page.on("console", lambda message: pytest.fail(f"console: {message.text}"))
    page.on("pageerror", lambda error: pytest.fail(f"page: {error}"))
    page.on("request", lambda request: _allow(request.url))
    page.goto(PAGE.resolve().as_uri())
    return page


def _allow(url: str) -> None:
    if not url.startswith(("file:", "blob:", "data:")):
        pytest.fail(f"asked the network for {url}")


def start(page: "Page", name: str = "Ann") -> None:
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def press(page: "Page", *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def place(page: "Page") -> str:
    return page.locator("#place").inner_text()


def test_a_whole_review_by_keyboard(context: "BrowserContext") -> None:
    """Five items, the tab is closed, five more, and the file is what `agreement` reads."""
    page = open_page(context)
    start(page)
    for _ in range(5):
        press(page, "1", "t", "Enter")
    press(page, "a")
    assert page.locator("#saved").inner_text() == "Saved"
    page.close()

    page = open_page(context)
    assert place(page) == "6 / 10"
    assert page.locator("fieldset").nth(0).get_by_text("A better").get_attribute(
        "aria-pressed"
    ) == "true", "what was said before the tab was closed"  # fmt: skip
    press(page, "3", "Enter", "1", "b", "c")
    page.keyboard.type("Unsafe: 1 mg/kg <b>")
    press(page, "Escape", "Enter")
    page.reload()
    for _ in range(3):
        press(page, "2", "2", "Enter")
    assert page.locator("#summary").inner_text() == "All 10 done. Thank you!"
    with page.expect_download() as download:
        press(page, "s")
    assert "Your file has all that you have said" in page.locator("#advice").inner_text()
    target = Path("data/reviews") / download.value.suggested_filename
    assert target.name == f"ann-{read_key()['sample'][:8]}.jsonl"
    download.value.save_as(target)

    rows = [json.loads(line) for line in target.read_text().splitlines()]
    assert [row["verdicts"] for row in rows[1:6]] == [
        {"correctness": "a", "helpfulness": "tie"}
    ] * 5
    assert rows[6]["verdicts"] == {"correctness": "a", "helpfulness": "b"}
    assert rows[7]["comment"] == "Unsafe: 1 mg/kg <b>"
    done = run(main, "agreement", "--out", "out.json")
    assert done.exit_code == 0, done.output
    report = json.loads(Path("out.json").read_text())
    assert report["reviews"] == 20
    a_is_student = [item["a"] == "model" for item in read_key()["items"]]
    won = sum(1.0 if is_a else 0.0 for is_a in a_is_student[:7]) + 3 * 0.5
    people = {each["criterion"]: each["rate"]["win_rate"] for each in report["people"]}
    assert people["correctness"] == won / 10


def test_an_open_item_is_told_and_can_be_skipped(context: "BrowserContext") -> None:
    page = open_page(context)
    start(page)
    press(page, "Enter")
    assert "Correctness is still open" in page.locator("#status").inner_text()
    press(page, "2", "Enter")
    assert "Helpfulness is still open" in page.locator("#status").inner_text()
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft")
    assert place(page) == "2 / 10"
    press(page, "o")
    assert page.locator("#summary").inner_text() == "0 of 10 done"
    assert page.get_by_label("Item 1, half done").count() == 1
    press(page, "Enter")
    assert place(page) == "1 / 10"
    press(page, "3", "ArrowUp", "1", "3", "Enter")
    assert page.locator("#done").inner_text() == "1 done"


def test_enter_on_a_button_presses_it_and_goes_on_when_it_is_pressed(
    context: "BrowserContext",
) -> None:
    page = open_page(context)
    start(page)
    page.keyboard.press("1")
    button = page.locator("fieldset").nth(1).get_by_text("B better")
    button.focus()
    page.keyboard.press("Enter")
    assert (place(page), button.get_attribute("aria-pressed")) == ("1 / 10", "true")
    page.keyboard.press("Enter")
    assert place(page) == "2 / 10"


def test_medical_text_stays_text(context: "BrowserContext") -> None:
    page = open_page(context)
    start(page)
    assert SCRIPT in page.locator("#a").inner_text()
    assert SCRIPT in page.locator("#b").inner_text()
    assert page.title() == "Review of 10 pairs of answers"
    assert page.locator("main img, main script").count() == 0


def test_the_browser_ran_no_foreign_script(context: "BrowserContext") -> None:
    """The policy holds even if a text got into the markup."""
    text = PAGE.read_text()
    PAGE.write_text(text.replace("<main>", "<main><script>document.title = 'in'</script>"))
    page = context.new_page()
    page.goto(PAGE.resolve().as_uri())
    assert page.title() == "Review of 10 pairs of answers"


def test_a_file_saved_elsewhere_goes_on_here(context: "BrowserContext") -> None:
    key = read_key()
    said = {item["id"]: {"correctness": "tie", "helpfulness": "tie"} for item in key["items"][:4]}
    good = export(key, "Bob", said)  # type: ignore[arg-type]
    page = open_page(context)
    for text, told in (
        (good[:-30], "was cut off"),
        (good.replace('"tie"', '"a"', 1), "was changed after it was saved"),
        ("hello", "no file of verdicts"),
        (export({**key, "sample": "0" * 16}, "Bob", said), "belongs to another page"),  # type: ignore[arg-type]
    ):
        _give(page, text)
        page.get_by_text(told).wait_for()
    assert page.locator("#start").is_visible()
    _give(page, good)
    page.get_by_text("4 of 10 done").wait_for()
    page.keyboard.press("Enter")
    assert place(page) == "5 / 10"
    _give(page, export(key, "Ann", said))  # type: ignore[arg-type]
    page.get_by_text("This file is by Ann, and you are Bob.").wait_for()


def _give(page: "Page", text: str) -> None:
    file: Any = {"name": "x.jsonl", "mimeType": "text/plain", "buffer": text.encode()}
    page.locator("#file").set_input_files(file)


def test_two_people_at_one_computer(context: "BrowserContext") -> None:
    page = open_page(context)
    start(page)
    press(page, "1", "1", "Enter", "o")
    page.get_by_text("I am not Ann").click()
    start(page, "Bob")
    assert (place(page), page.locator("#done").inner_text()) == ("1 / 10", "0 done")
    press(page, "o")
    page.get_by_text("I am not Bob").click()
    start(page)
    assert (place(page), page.locator("#done").inner_text()) == ("2 / 10", "1 done")


def test_a_browser_that_keeps_nothing_says_so(context: "BrowserContext") -> None:
    page = context.new_page()
    page.add_init_script("Storage.prototype.setItem = () => { throw new Error('full'); };")
    page.goto(PAGE.resolve().as_uri())
    start(page)
    page.keyboard.press("1")
    assert "Not saved" in page.locator("#saved").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_and_nothing_sticks_out(
    browser: "Browser", context: "BrowserContext", size: str, scheme: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    look = browser.new_context(offline=True, viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
    page = open_page(look)

    def check(part: str) -> None:
        found = [(v["id"], v["nodes"][0]["html"]) for v in Axe().run(page).response["violations"]]
        assert not found, part
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part

    check("start")
    start(page)
    press(page, "1")
    check("item")
    press(page, "Enter", "?")
    check("keys")
    press(page, "Escape", "o")
    check("overview")
    look.close()
