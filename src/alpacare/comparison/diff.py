"""`alpacare diff`: the working tree and a commit, compared model by model, item by item."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from alpacare.comparison.diff_page import AnswersById, CellVersion, ComparedCell, write_page
from alpacare.comparison.diff_print import SHOWN, print_flips, print_line, print_rows
from alpacare.comparison.diff_rows import make_rows
from alpacare.comparison.diff_scores import compare_scores
from alpacare.comparison.diff_seeds import rows_of_new_seeds
from alpacare.comparison.revisions import (
    MissingFile,
    Revision,
    changed_inputs,
    open_revision,
    trainings_behind,
)
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import read_json
from alpacare.core.texts import counted, escape_controls
from alpacare.evaluation.items import gather, read_judgments
from alpacare.evaluation.score import Cell
from alpacare.evaluation.score_table import percent
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, read_params
from alpacare.records.generation import Generation

JUDGED = (
    "data/judgments", "data/contestant_judgments",
    "data/local_judgments", "data/local_contestant_judgments",
)  # fmt: skip


class CellFiles(NamedTuple):
    """A cell's files, and the folder of its judge."""

    cell: Cell
    judgments: str
    generations: str
    reference: str
    judge: str


@dataclass
class CellGatherer:
    """Gathers the cells that both versions have; `notes` on the others, each once.

    `missing`: what is said of the first file that neither cache nor remote has.
    """

    then: Revision
    now: Revision
    compared: list[ComparedCell] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    missing: str = ""

    def note(self, line: str) -> None:
        """Add a line to be printed."""
        self.notes[line] = None

    def gather(self, params: Params) -> None:
        """Read every cell that params.yaml names."""
        wanted = {files.judgments: files for files in map(_cell_files, params.cells())}
        listed = [path for folder in JUDGED for path in self.then.outputs(folder)]
        if not listed:
            raise BadInput(f"{self.then.rev}: no judgments; the commit is older than this pipeline")
        graders = params.judgments.rubric_judges  # their files are in these folders too
        rows = [path for path in listed if path.endswith(".jsonl")]
        known = {path for path in rows if Path(path).stem not in graders}
        unlisted = tuple(f"{path}/" for path in listed if not Path(path).suffix)
        here = {
            path: files
            for path, files in wanted.items()
            if path in known or path.startswith(unlisted)
        }
        self._count(known - wanted.keys(), f"judged at {self.then.rev} and not in params.yaml now")
        self._count(wanted.keys() - here.keys(), f"not judged at {self.then.rev}")
        for files in here.values():
            try:
                self._add(files)
            except MissingFile as error:
                self.missing = self.missing or f": {error}"
                self.note(str(error))
                self.note(self._unpaired_rates(files.cell))

    def _count(self, paths: Collection[str], what: str) -> None:
        """Say how many comparisons are left out, by the folder of REFERENCE/JUDGE.jsonl."""
        for folder, number in sorted(Counter(str(Path(p).parents[1]) for p in paths).items()):
            self.note(f"{folder}: {counted(number, 'comparison')} {what}")

    def _add(self, files: CellFiles) -> None:
        before, after = (self._read(revision, files) for revision in (self.then, self.now))
        if before.judgments and after.judgments:
            preferences = gather(before.judgments).by_id(), gather(after.judgments).by_id()
            changes = self._other_changes(files, before, after)
            answers = (files.generations, files.reference)
            trainings = [trainings_behind(each, answers) for each in (self.then, self.now)]
            retrained = trainings[0] != trainings[1]
            self.compared.append(
                ComparedCell(files.cell, before, after, preferences, changes, retrained)
            )
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
        changed = changed_inputs(self.then, self.now, files.judgments)
        answers = [{id: row.output for id, row in v.reference.items()} for v in (before, after)]
        if answers[0] != answers[1]:
            changed.add(files.reference)
        if self.then.texts(files.judge) != self.now.texts(files.judge):
            changed.add(f"{files.judge}/")
        return sorted(changed)

    def _unpaired_rates(self, cell: Cell) -> str:
        """Give both win rates from Git, for a cell whose verdicts are not available."""
        path = str(paths.score(cell))
        then, now = (
            percent(revision.read(path, read_json).get("win_rate")) if revision.has(path) else "-"
            for revision in (self.then, self.now)
        )
        return f"{cell}: {then} % then, {now} % now ({path}); not paired, so no interval"


def _cell_files(cell: Cell) -> CellFiles:
    answers = paths.answers(cell.test, cell.model, cell.seed)
    reference = paths.answers(cell.test, cell.reference, cell.seed)
    judge = paths.judge(cell.judge)
    return CellFiles(cell, *map(str, (paths.judgments(cell), answers, reference, judge)))


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
        scores = compare_scores(params, then, now, gathered.note)
        if now.is_outdated():
            gathered.note(
                "settings or files have changed since the last `dvc repro`: its results are "
                "compared, not what they would be now"
            )
    console = Console(highlight=False, markup=False, emoji=False)
    rows = make_rows(gathered.compared, params)
    if not any(row.model.seeds for row in rows):
        more, notes = rows_of_new_seeds(params, rev)
        rows += more
        for line in notes:
            gathered.note(line)
    if rows:
        print_rows(console, rev, rows)
    if scores:
        print_rows(console, rev, scores, "Scores by rubrics and on benchmarks")
    if gathered.compared:
        write_page(page, rev, gathered.compared)
        print_flips(console, gathered.compared)
    for line in [*gathered.notes, *_caveats(gathered.compared)]:
        print_line(console, escape_controls(line))
    if not rows and not scores:
        problem = "nothing could be compared test item by test item"
        raise BadInput(f"{rev}: {problem}{gathered.missing}")
    if gathered.compared:
        print_line(console, f"All flipped items, with every text and verdict: {page}")


def _caveats(compared: Sequence[ComparedCell]) -> list[str]:
    """Say for each file that changed besides the model which comparisons it affects."""
    affected: dict[str, list[Cell]] = {}
    for each in compared:
        for path in each.other_changes:
            affected.setdefault(path, []).append(each.cell)
    return [
        f"{path} changed too: the difference may not be the model's alone "
        f"({_which(cells) if len(cells) < len(compared) else 'every comparison'})"
        for path, cells in affected.items()
    ]


def _which(cells: Sequence[Cell]) -> str:
    """Name comparisons without their seeds, a few of them."""
    names = list(dict.fromkeys(str(cell._replace(seed=None)) for cell in cells))
    more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return "; ".join([*names[:SHOWN], *more])
