"""The report of the paper's set-up: how long it takes to write, and how quickly it answers.

    python bench/report.py

1,216 items (216 and 1,000) against four references by two judges in both orders: 19,456 verdicts,
and answers of some 850 characters. The page is opened from disk in Debian's Chromium with the
network off. A filter's time is from the event to the frame that shows its result. Prints a table
and writes bench/report.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parents[1]
sys.path.insert(0, str(HERE / "tests"))
sys.path.insert(0, str(HERE / "tests/report"))

from judged_project import write_project  # noqa: E402

SETS = {"medinstruct-test": 216, "icliniq": 1000}
REFERENCES = ["text-davinci-003", "gpt-3.5-turbo", "gpt-4", "claude-2"]
JUDGES = ["alpacare", "mtbench"]
ROUNDS = 5
LOCKS = 3  # times the demo's stages: so many has a matrix of this size
CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
BUILD = "from alpacare.report_commands import report; report()"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
TIMED = """async (act) => {
  const start = performance.now();
  (0, eval)(act);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
SET = "(() => {{ const box = document.querySelector('{0}'); {1}; {2} }})()"
SAY = "box.dispatchEvent(new Event('input', {bubbles: true}))"
ACTS = {  # by what a reader does; the first search also makes the text that is searched
    "items read, when they come near": "start()",
    "filter: lost": SET.format("input[value=lost]", "box.checked = true", SAY),
    "filter: judge": SET.format("[name=judge]", "box.value = 'mtbench'", SAY),
    "filter: all": SET.format("input[value=all]", "box.checked = true", SAY),
    "first search": SET.format("#search", "box.value = 'fever'", SAY),
    "search": SET.format("#search", "box.value = 'fever and pain'", SAY),
    "search without result": SET.format("#search", "box.value = 'zebra'", SAY),
    "next item": "list.move(1)",
}


def build(folder: Path) -> dict[str, float]:
    """Write the report; give seconds and megabytes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", BUILD], cwd=folder, check=True, capture_output=True)
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "mb": (folder / "reports/index.html").stat().st_size / 1e6}


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


def copy_the_rest(folder: Path) -> None:
    """The demo's own metrics on data and training, hashes, and settings of stages."""
    for name in ("data/seeds", "metrics"):
        shutil.copytree(HERE / name, folder / name, dirs_exist_ok=True)
    head, stages = (HERE / "dvc.lock").read_text().split("stages:\n")
    more = [re.sub(r"^  (\S+:)$", rf"  {n}-\1", stages, flags=re.M) for n in range(LOCKS)]
    (folder / "dvc.lock").write_text(head + "stages:\n" + "".join(more))
    for cell in (folder / "metrics/scores/demo").glob("*/*"):
        cell.unlink()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_project(folder, SETS, REFERENCES, JUDGES)
        copy_the_rest(folder)
        built = build(folder)
        found = measure(folder / "reports/index.html")
    table = Table("what", "median", "most")
    table.add_row(f"write the report, {built['mb']:.1f} MB", f"{built['seconds']:.1f} s", "")
    for what, times in found.items():
        table.add_row(what, f"{median(times):.0f} ms", f"{max(times):.0f} ms")
    Console().print(table)
    result: dict[str, Any] = {
        "items": sum(SETS.values()),
        "comparisons": sum(SETS.values()) * len(REFERENCES),
        "verdicts": sum(SETS.values()) * len(REFERENCES) * len(JUDGES) * 2,
        "build_seconds": round(built["seconds"], 1),
        "page_mb": round(built["mb"], 1),
        "milliseconds": {
            what: {"median": round(median(times)), "most": round(max(times))}
            for what, times in found.items()
        },
        "cores": os.cpu_count(),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
