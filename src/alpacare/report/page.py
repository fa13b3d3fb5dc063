"""`alpacare report`: one HTML file with everything, and its pictures for papers."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from alpacare.comparison.board_notes import SANITY_CHECKS
from alpacare.core.command import check_files
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file
from alpacare.display.html import content_security_policy, open_templates
from alpacare.evaluation.score import Rate
from alpacare.pipeline.params import read_params
from alpacare.report import formats
from alpacare.report.averages import average_groups, average_seeds
from alpacare.report.data import ReportData, gather_report
from alpacare.report.data_charts import draw_dataset, draw_funnel
from alpacare.report.drawing import Figure, adapt_for_page, write_picture
from alpacare.report.headline import (
    describe_leader,
    describe_outcome,
    describe_title,
    make_headline,
)
from alpacare.report.page_size import LIMIT, pack_items
from alpacare.report.score_charts import draw_scores
from alpacare.report.sunburst import draw_sunbursts
from alpacare.report.training_charts import draw_trainings
from alpacare.report.trainings import describe_rows

Groups = Mapping[str, Mapping[str, Rate]]  # by difficulty or type, and by model
TEMPLATES = Path(__file__).parent / "templates"
NOTE = 1000  # bytes reserved for the sentence on what was left out


def write_report(out: Path, figures: Path) -> ReportData:
    """Write the page and the pictures; return what they show.

    Raises:
        BadInput: bad settings, or a file that is here and is not what it should be.
    """
    check_files([], [out])
    if figures.exists() and not figures.is_dir():
        raise BadInput(f"{figures}: is a file; name a folder for the pictures")
    report = gather_report(read_params())
    pictures = _draw_figures(report)
    page = make_report_page(report, pictures)
    _write_pictures(chain.from_iterable(pictures.values()), figures)
    with atomic_file(out) as file:
        file.write(page)
    return report


def make_report_page(report: ReportData, pictures: Mapping[str, Sequence[Figure]]) -> str:
    """Fill the page: texts are data, never markup, and no other script may run."""
    from markupsafe import Markup

    templates = open_templates(TEMPLATES)
    templates.filters |= formats.FILTERS
    templates.globals |= {
        "average_seeds": partial(average_seeds, report.scores),
        "describe_rows": partial(describe_rows, params=report.params),
        "describe_leader": describe_leader,
    }
    style, theme = _read("report.css"), _read("theme.js")
    script = "\n" + "\n".join(map(_read, ("list.js", "item.js", "browser.js")))
    shown = {
        part: [(figure, Markup(adapt_for_page(figure))) for figure in drawn]
        for part, drawn in pictures.items()
        if part != "paper"
    }
    headline = make_headline(report.boards)
    models = list(dict.fromkeys(cell.model for cell in report.params.cells()))
    fill = partial(
        templates.get_template("report.html").render,
        report=report,
        steps=report.funnel.row_counts(),
        pictures=shown,
        sanity_checks=[
            judge for judge in report.params.judgments.all_judges if judge in SANITY_CHECKS
        ],
        style=Markup(style),
        theme=Markup(theme),
        script=Markup(script),
        policy=content_security_policy(style, theme, script),
        difficulties=_difficulties(report),
        headline=headline,
        outcome=describe_outcome(report.params, headline),
        title=describe_title(report.params, headline, report.origin.date),
        grouped=_group_scores(report),
        models=models,
        best_first=list(dict.fromkeys([*(headline.models if headline else []), *models])),
        references=list(dict.fromkeys(cell.reference for cell in report.params.cells())),
    )
    empty = fill(items="", left_out="")
    items, left_out = pack_items(report.tests, LIMIT - len(empty.encode()) - NOTE)
    return fill(items=items, left_out=left_out)


def _draw_figures(report: ReportData) -> dict[str, list[Figure]]:
    """Give the figures of each section, and those for papers, which the page draws otherwise."""
    return {
        "paper": [*draw_scores(report), *draw_sunbursts(report.datasets)],
        "training": list(draw_trainings(report.trainings)),
        "funnel": list(draw_funnel(report.funnel)),
        "data": list(draw_dataset(report.datasets)),
    }


def _group_scores(report: ReportData) -> dict[tuple[str, str], list[Groups]]:
    """Give win rates by difficulty and by type, for each test set and judge that has any."""
    pairs = dict.fromkeys((cell.test, cell.judge) for cell in report.scores)
    average = partial(average_groups, report.params, report.scores, report.boards)
    found: dict[tuple[str, str], list[Groups]] = {}
    for pair in pairs:
        by_difficulty = average(*pair, "difficulty")
        named = {f"difficulty {name}": rates for name, rates in by_difficulty.items()}
        found[pair] = [groups for groups in (named, average(*pair, "type")) if groups]
    return {pair: groups for pair, groups in found.items() if groups}


def _difficulties(report: ReportData) -> list[str]:
    """Give the difficulties that occur, "unknown" last."""
    found = {item["difficulty"] for each in report.tests for item in each["items"]}
    known = sorted(str(each) for each in found if each is not None)
    return [*known, "unknown"] if None in found else known


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _write_pictures(figures: Iterable[Figure], folder: Path) -> None:
    """Replace each picture atomically; other files in the folder stay."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as fresh:
        for figure in figures:
            write_picture(figure, Path(fresh))
        for path in sorted(Path(fresh).iterdir()):
            path.replace(folder / path.name)
