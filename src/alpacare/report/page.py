"""Behind `alpacare report`: one HTML file that holds everything, and its pictures for papers."""

import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from alpacare.core.command import check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file
from alpacare.display.html import open_templates, policy
from alpacare.pipeline.params import read_params
from alpacare.report import formats
from alpacare.report.charts import draw_figures
from alpacare.report.data import SMOKE_DETECTORS, Report, gather_report
from alpacare.report.data_charts import rows_by_stage
from alpacare.report.drawing import Figure, draw, for_page, write_picture
from alpacare.report.page_size import LIMIT, pack_items

TEMPLATES = Path(__file__).parent / "templates"
SCRIPTS = ("list.js", "item.js", "browser.js")
NOTE = 1000  # bytes kept for the sentence on what was left out


class Picture(NamedTuple):
    """A figure and its SVG document."""

    figure: Figure
    svg: str


Pictures = Mapping[str, Sequence[Picture]]


def write_report(out: Path, figures: Path) -> Report:
    """Write the page and the pictures; give what they show.

    Raises:
        BadInput: bad settings, or a file that is here and is not what it should be.
    """
    check_files([], [out])
    if figures.exists() and not figures.is_dir():
        raise BadInput(f"{figures}: is a file; name a folder for the pictures")
    report = gather_report(read_params())
    pictures = {
        part: [Picture(figure, draw(figure)) for figure in drawn]
        for part, drawn in draw_figures(report).items()
    }
    page = make_page(report, pictures)
    _write_pictures(pictures, figures)
    with atomic_file(out) as file:
        file.write(page)
    return report


def make_page(report: Report, pictures: Pictures) -> str:
    """Fill the page: texts come as data, never as markup, and no other script may run."""
    from markupsafe import Markup

    pages = open_templates(TEMPLATES)
    pages.filters |= formats.FILTERS
    style, theme = _read("report.css"), _read("theme.js")
    script = "\n" + "\n".join(map(_read, SCRIPTS))
    shown = {
        part: [(each.figure, Markup(for_page(each.svg, each.figure.name))) for each in drawn]
        for part, drawn in pictures.items()
    }
    fill = partial(
        pages.get_template("report.html").render,
        report=report,
        steps=rows_by_stage(report.funnel),
        pictures=shown,
        smoke=[judge for judge in report.params.judgments.judges if judge in SMOKE_DETECTORS],
        style=Markup(style),
        theme=Markup(theme),
        script=Markup(script),
        policy=policy(style, theme, script),
        difficulties=_difficulties(report),
    )
    bare = fill(items="", left_out="")
    items, left_out = pack_items(report.tests, LIMIT - len(bare.encode()) - NOTE)
    return fill(items=items, left_out=left_out)


def _difficulties(report: Report) -> list[str]:
    """Give those that occur, "unknown" last."""
    found = {item["difficulty"] for each in report.tests for item in each["items"]}
    known = sorted(str(each) for each in found if each is not None)
    return [*known, "unknown"] if None in found else known


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _write_pictures(pictures: Pictures, folder: Path) -> None:
    """Write each picture whole; other files in the folder are left alone."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as fresh:
        for part in pictures.values():
            for figure, svg in part:
                write_picture(svg, Path(fresh) / figure.name)
        for path in sorted(Path(fresh).iterdir()):
            path.chmod(0o644)
            path.replace(folder / path.name)
