"""Datasets of two versions, printed in the terminal; the page has every row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.comparison.dataset_diff import DatasetDiff, check_any, diff_datasets, dollars
from alpacare.comparison.dataset_shifts import Shift, shifts
from alpacare.comparison.diff_page import fence
from alpacare.comparison.diff_print import print_line
from alpacare.comparison.revisions import open_revision
from alpacare.core.files import atomic_file
from alpacare.core.texts import escape_controls
from alpacare.display.html import open_templates
from alpacare.evaluation.score_table import make_table
from alpacare.pipeline.params import read_params

if TYPE_CHECKING:
    from rich.console import Console


def print_dataset_diff(rev: str, page: Path) -> None:
    """Compare the datasets of the working tree with a commit's; write every row to `page`.

    Raises:
        BadInput: no such commit, no dataset in either, or one that cannot be read.
    """
    from rich.console import Console

    params = read_params()
    with open_revision(rev) as then, open_revision(None) as now:
        found = list(diff_datasets(params, then, now))
        paid = dollars(then), dollars(now)
    check_any(found, rev)
    console = Console(highlight=False, markup=False, emoji=False)
    if different := [each for each in found if not each.same]:
        _print_counts(console, rev, different)
    for each in different:
        _print_reasons(console, each)
    if same := [_name(each.path) for each in found if each.same]:
        print_line(console, f"The same rows as at {rev}: {', '.join(same)}.")
    _print_dollars(console, *paid)
    _write_page(page, rev, found)
    print_line(console, f"Every row that was added, removed or changed: {page}")


def _name(path: str) -> str:
    return path.removeprefix("data/").removesuffix(".jsonl")


def _print_counts(console: "Console", rev: str, found: Sequence[DatasetDiff]) -> None:
    figures = ("then", "now", "added", "removed", "changed", "reworded")
    table = make_table(f"Rows: {rev} and now", ("dataset",), figures)
    for each in found:
        counts = (each.then, each.now, each.added, each.removed, each.changed, each.reworded)
        table.add_row(_name(each.path), *(f"{len(rows):,}" for rows in counts))
    console.print(table)


def _print_reasons(console: "Console", found: DatasetDiff) -> None:
    console.print(_name(found.path))
    parts = {
        "added": found.why_added(),
        "removed": found.why_removed(),
        "changed": _count_fields(found),
    }
    for what, counts in parts.items():
        if counts:
            said = ", ".join(
                f"{number:,} {escape_controls(name)}" for name, number in counts.items()
            )
            print_line(console, f"  {what}: {said}")
    for shift in shifts(found):
        print_line(console, f"  {escape_controls(_describe(shift))}")


def _count_fields(found: DatasetDiff) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for names in found.changed.values():
        counts[", ".join(names)] = counts.get(", ".join(names), 0) + 1
    return counts


def _describe(shift: Shift) -> str:
    if shift.is_share:
        return f"{shift.what}: {shift.then:.1f} % of the rows then, {shift.now:.1f} % now"
    return f"{shift.what}: {shift.then:g} then, {shift.now:g} now"


def _print_dollars(console: "Console", then: Mapping[str, float], now: Mapping[str, float]) -> None:
    for stage in then.keys() & now.keys():
        if then[stage] != now[stage]:
            said = f"${then[stage]:.2f} then, ${now[stage]:.2f} now"
            console.print(f"The answers of {stage} cost {said}.")


def _write_page(page: Path, rev: str, found: Sequence[DatasetDiff]) -> None:
    templates = open_templates(Path(__file__).parent / "templates").overlay(autoescape=False)
    text = templates.get_template("datasets.md").render(rev=rev, found=found, fence=fence)
    with atomic_file(page) as file:
        file.write(text)
