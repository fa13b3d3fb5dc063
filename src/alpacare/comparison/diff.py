"""`alpacare diff`: the working tree and a commit, compared test item by test item."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from alpacare.comparison.diff_page import AnswersById, CellVersion, ComparedCell, write_page
from alpacare.comparison.diff_print import DiffRow, print_flips, print_rows
from alpacare.comparison.revisions import MissingFile, Revision, open_revision
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.texts import escape_controls
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import gather, read_judgments
from alpacare.evaluation.paired_comparison import average_preferences, compare
from alpacare.evaluation.score import Cell
from alpacare.evaluation.score_table import percent
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params
from alpacare.records.comparisons import BASE
from alpacare.records.generation import Generation

# Other inputs of verdicts: if one changed, the difference may not be due to the student alone.
OTHERS = (
    "data/references/",
    "data/tests/",
    "prompts/judges/",
    "src/alpacare/judging/",
    "src/alpacare/verdicts/",
)


class CellFiles(NamedTuple):
    """A cell's files, and the folder of its judge."""

    cell: Cell
    judgments: str
    generations: str
    reference: str
    judge: str


@dataclass
class CellGatherer:
    """Gathers the cells that both versions have; `notes` on the others, each once."""

    then: Revision
    now: Revision
    compared: list[ComparedCell] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def note(self, line: str) -> None:
        """Add a line to be printed."""
        self.notes[line] = None

    def gather(self, params: Params) -> None:
        """Read every cell that params.yaml names."""
        wanted = {files.judgments: files for files in map(_cell_files, params.cells())}
        listed = [*self.then.outputs("data/judgments"), *self.then.outputs("data/local_judgments")]
        if not listed:
            raise BadInput(f"{self.then.rev}: no judgments; the commit is older than this pipeline")
        known = {path for path in listed if path.endswith(".jsonl")}
        unlisted = tuple(f"{path}/" for path in listed if not Path(path).suffix)
        for path in sorted(known - wanted.keys()):
            self.note(f"{path}: judged at {self.then.rev} and not in params.yaml now")
        for path, files in wanted.items():
            if path not in known and not path.startswith(unlisted):
                self.note(f"{path}: not judged at {self.then.rev}")
                continue
            try:
                self._add(files)
            except MissingFile as error:
                self.note(str(error))
                self.note(self._unpaired_rates(files.cell))

    def _add(self, files: CellFiles) -> None:
        before, after = (self._read(revision, files) for revision in (self.then, self.now))
        if before.judgments and after.judgments:
            preferences = gather(before.judgments).by_id(), gather(after.judgments).by_id()
            changes = self._other_changes(files, before, after)
            self.compared.append(ComparedCell(files.cell, before, after, preferences, changes))
        elif before.judgments or after.judgments:  # else neither version has answered this test set
            when = "now" if before.judgments else f"at {self.then.rev}"
            self.note(f"{files.judgments}: {when} the reference has not answered this test set")

    def _read(self, revision: Revision, files: CellFiles) -> CellVersion:
        """Read one version of a cell; its verdicts count even where its answers are missing."""

        def read_answers(path: str) -> AnswersById:
            try:
                rows = revision.read(path, lambda file: jsonl.read(file, Generation, unique="id"))
            except MissingFile as error:
                self.note(f"no texts of flipped items: {error}")
                return {}
            return {row.id: row for row in rows}

        judgments = revision.read(files.judgments, read_judgments)
        answers = read_answers(files.generations), read_answers(files.reference)
        return CellVersion(judgments, *answers)

    def _other_changes(
        self, files: CellFiles, before: CellVersion, after: CellVersion
    ) -> list[str]:
        """List the other inputs of the verdicts that have changed."""
        old, new = self.then.inputs(files.judgments), self.now.inputs(files.judgments)
        if not (old and new):
            return []
        changed = {
            f"{path}/" if path.startswith("src/") else path
            for path in old.keys() | new.keys()
            if path.startswith(OTHERS) and old.get(path) != new.get(path)
        }
        answers = [{id: row.output for id, row in v.reference.items()} for v in (before, after)]
        if answers[0] != answers[1]:
            changed.add(files.reference)
        if self.then.texts(files.judge) != self.now.texts(files.judge):
            changed.add(f"{files.judge}/")
        return sorted(changed)

    def _unpaired_rates(self, cell: Cell) -> str:
        """Give both win rates from Git, for a cell whose verdicts are not available."""
        path = str(paths.score(*cell))
        then, now = (
            percent(revision.read(path, read_json).get("win_rate")) if revision.has(path) else "-"
            for revision in (self.then, self.now)
        )
        return f"{cell}: {then} % then, {now} % now ({path}); not paired, so no interval"


def _cell_files(cell: Cell) -> CellFiles:
    judge, generations = paths.judge(cell.judge), paths.generations(cell.test)
    reference = paths.reference(cell.test, cell.reference)
    return CellFiles(cell, *map(str, (paths.judgments(*cell), generations, reference, judge)))


def print_diff(rev: str, page: Path) -> None:
    """Compare the working tree with a commit; print the differences, write the flips to `page`.

    Raises:
        BadInput: no such commit, or no cell that can be compared.
    """
    from rich.console import Console

    params = read_params()
    with open_revision(rev) as then, open_revision(None) as now:
        gathered = CellGatherer(then, now)
        gathered.gather(params)
        if now.is_outdated():
            gathered.note(
                "settings or files have changed since the last `dvc repro`: its results are "
                "compared, not what they would be now"
            )
    console = Console(highlight=False, markup=False, emoji=False)
    if gathered.compared:
        write_page(page, rev, gathered.compared)
        print_rows(console, rev, _make_rows(gathered.compared, params.scores))
        for each in gathered.compared:
            print_flips(console, each)
    for line in [*gathered.notes, *_caveats(gathered.compared)]:
        console.print(escape_controls(line), soft_wrap=True)
    if not gathered.compared:
        raise BadInput(f"{rev}: nothing could be compared test item by test item")
    console.print(f"All flipped items, with every text and verdict: {page}", soft_wrap=True)


def _make_rows(compared: Sequence[ComparedCell], how: Resampling) -> list[DiffRow]:
    """Compare each cell, and by test set and judge the mean over references without base."""
    rows = []
    for test, judge in dict.fromkeys(each.cell[::2] for each in compared):
        group = [each for each in compared if each.cell[::2] == (test, judge)]
        for each in group:
            comparison = compare(*each.preferences, how)
            rows.append(DiffRow(test, judge, each.cell.reference, comparison))
        group = [each for each in group if each.cell.reference != BASE]
        if len(group) > 1:
            versions = zip(*(each.preferences for each in group), strict=True)
            then, now = map(average_preferences, versions)
            comparison = compare(then, now, how)
            rows.append(DiffRow(test, judge, f"mean of {len(group)}", comparison, is_mean=True))
    return rows


def _caveats(compared: Sequence[ComparedCell]) -> list[str]:
    """Say for each file that changed besides the student which cells it affects."""
    affected: dict[str, list[str]] = {}
    for each in compared:
        for path in each.other_changes:
            affected.setdefault(path, []).append(str(each.cell))
    return [
        f"{path} changed too: the difference may not be the student's alone "
        f"({'; '.join(cells) if len(cells) < len(compared) else 'every comparison'})"
        for path, cells in affected.items()
    ]
