"""The report of a large study: how long it takes to write, and how quickly it answers.

    python bench/report.py

Four students with three training seeds on 1,216 items (216 and 1,000) against four references, and
head to head, by two judges in both orders: 277,248 verdicts, and answers of some 1,200 characters,
as those to MedInstruct's test tasks. Their words are those of this project's documentation, drawn
at random, so they pack worse than what people write. The page is opened from disk in Debian's
Chromium with the network off. A filter's time is from the event to the frame that shows its result.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import click
import results
from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))
sys.path.insert(0, str(REPOSITORY / "tests/report"))

import judged_project  # noqa: E402

SETS = {"medinstruct-test": 216, "icliniq": 1000}
REFERENCES = ["text-davinci-003", "gpt-3.5-turbo", "gpt-4", "claude-2"]
JUDGES = ["alpacare", "mtbench"]
STUDENTS = ["alpaca-7b", "alpacare-7b", "alpacare-13b", "random-half"]
SEEDS = [0, 1, 2]
ROUNDS = 5
LOCKS = 3  # times the demo's stages: so many has a matrix of this size
CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
BUILD = "from alpacare.cli.report import report; report()"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
TIMED = """async (act) => {
  const start = performance.now();
  await (0, eval)(act);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
SET = "(() => {{ const box = document.querySelector('{0}'); {1}; {2} }})()"
SAY = "box.dispatchEvent(new Event('input', {bubbles: true}))"
ACTS = {  # by what a reader does; the first search also makes the text that is searched
    "items read, when they come near": "start()",
    "filter: lost": SET.format("input[value=lost]", "box.checked = true", SAY),
    "filter: judge": SET.format("[name=judge]", "box.value = 'mtbench'", SAY),
    "filter: model": SET.format("[name=model]", "box.value = 'random-half'", SAY),
    "filter: reference": SET.format("[name=against]", "box.value = 'gpt-4'", SAY),
    "filter: seed": SET.format("[name=seed]", "box.value = '2'", SAY),
    "filter: models differ": SET.format("[name=differ]", "box.checked = true", SAY),
    "filter: all": SET.format("input[value=all]", "box.checked = true", SAY),
    "next item": "list.move(1)",
    "other reference of an item": "document.querySelector('[role=tab]:last-child').click()",
    "first search": SET.format("#search", "box.value = 'fever'", SAY),
    "search": SET.format("#search", "box.value = 'fever and pain'", SAY),
    "search without result": SET.format("#search", "box.value = 'zebra'", SAY),
}


def build(folder: Path) -> dict[str, Any]:
    """Write the report; give seconds, megabytes and what was left out."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    page = (folder / "reports/index.html").read_text()
    left_out = re.search(r"small enough to send, (.*?);", page)
    return {
        "seconds": seconds,
        "mb": len(page.encode()) / 1e6,
        "left_out": left_out[1] if left_out else "nothing is left out",
    }


def measure(page_file: Path) -> dict[str, list[float]]:
    """Open the page ROUNDS times; give milliseconds by what was done."""
    from playwright.sync_api import sync_playwright

    found: dict[str, list[float]] = {"first paint": []} | {name: [] for name in ACTS}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        for _ in range(ROUNDS):
            context = browser.new_context(
                offline=True, viewport={"width": 1280, "height": 900}, bypass_csp=True
            )
            page = context.new_page()
            page.goto(page_file.as_uri())
            page.wait_for_function(PAINT)
            found["first paint"].append(page.evaluate(PAINT))
            for name, act in ACTS.items():
                found[name].append(page.evaluate(TIMED, act))
            context.close()
        browser.close()
    return found


def richer_prose() -> str:
    """Text whose words are as many and as unlike as those of real answers."""
    documents = " ".join(path.read_text() for path in sorted((REPOSITORY / "docs").glob("*.md")))
    return " ".join([judged_project.PROSE] * 50 + re.findall("[a-z]+", documents))


def copy_the_rest(folder: Path) -> None:
    """The demo's own metrics on data and training, hashes, and settings of stages."""
    for name in ("data/seeds", "metrics"):
        shutil.copytree(REPOSITORY / name, folder / name, dirs_exist_ok=True)
    head, stages = (REPOSITORY / "dvc.lock").read_text().split("stages:\n")
    more = [re.sub(r"^  (\S+:)$", rf"  {n}-\1", stages, flags=re.M) for n in range(LOCKS)]
    (folder / "dvc.lock").write_text(head + "stages:\n" + "".join(more))
    shutil.rmtree(folder / "metrics/scores/demo")


def figures(built: dict[str, Any], found: dict[str, list[float]]) -> results.Figures:
    """What the page on the report quotes."""
    searches = [max(times) for name, times in found.items() if "filter" in name or "search" in name]
    return {
        "page, MB": round(built["mb"], 1),
        "writing, s": round(built["seconds"], 1),
        "first paint, s": round(median(found["first paint"]) / 1000, 3),
        "unpacking items, s": round(median(found["items read, when they come near"]) / 1000, 3),
        "slowest filter or search, s": round(max(searches) / 1000, 3),
    }


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Measure the report of a large study."""
    judged_project.PROSE = richer_prose()
    judged_project.ANSWER = 210  # words
    judged_project.REPLY = 65  # words, 100 tokens: the most that AlpaCare's judge may say
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        judged_project.write_project(
            folder, SETS, REFERENCES, JUDGES, students=STUDENTS, seeds=SEEDS
        )
        copy_the_rest(folder)
        built = build(folder)
        found = measure(folder / "reports/index.html")
    pairs = len(STUDENTS) * len(REFERENCES) + len(STUDENTS) - 1
    verdicts = sum(SETS.values()) * len(SEEDS) * pairs * len(JUDGES) * 2
    print(f"{verdicts:,} verdicts; {built['left_out']}")
    table = Table("what", "median", "most")
    for what, times in found.items():
        table.add_row(what, f"{median(times):.0f} ms", f"{max(times):.0f} ms")
    Console().print(table)
    results.report("report", figures(built, found), save)


if __name__ == "__main__":
    main()
