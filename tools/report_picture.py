"""Make the picture of the README anew: reports/index.html in Chromium, as docs/images/report.png.

    make demo && python tools/report_picture.py

Needs Debian's chromium; opens the page from disk and no other address.
"""

from pathlib import Path
from typing import Any

import click

TARGET = Path(__file__).parents[1] / "docs/images/report.png"
WINDOW: Any = {"width": 1080, "height": 710}
PART: Any = {"x": 0, "y": 86, "width": 1080, "height": 620}  # without the line of date and commit


@click.command(help=(__doc__ or "").splitlines()[0])
@click.option("--page", default="reports/index.html", type=click.Path(exists=True, path_type=Path))
@click.option("--chromium", default="/usr/bin/chromium", type=click.Path(exists=True))
def main(page: Path, chromium: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport=WINDOW, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        tab.wait_for_load_state()
        TARGET.parent.mkdir(exist_ok=True)
        tab.screenshot(path=TARGET, clip=PART)
        browser.close()
    click.echo(f"{TARGET}: {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
