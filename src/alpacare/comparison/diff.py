"""`alpacare diff`: the working tree and a commit, compared test item by test item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alpacare.comparison.diff_page import Answers, Side, write_section
from alpacare.comparison.diff_print import Row, print_flips, print_rows
from alpacare.comparison.revisions import Missing, Revision, open_revision
from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_json
from alpacare.display.text import plain
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.items import gather, read_judgments
from alpacare.evaluation.paired_comparison import Flip, Leads, average, compare, flips
from alpacare.evaluation.score_table import percent
from alpacare.pipeline.dvc_yaml import rows_path
from alpacare.pipeline.params import BASE, Params, read_params
from alpacare.records.generation import Generation

if TYPE_CHECKING:
    from rich.console import Console

# What verdicts depend on besides the student: if one of these changed, the student is not alone.
OTHERS = (
    "data/references/",
    "data/tests/",
    "prompts/judges/",
    "src/alpacare/judging/",
    "src/alpacare/verdicts/",
)


class Cell(NamedTuple):
    """One judge's verdicts on one reference on one test set."""

    test: str
    reference: str
    judge: str

    def __str__(self) -> str:
        return ", ".join(self)


@dataclass(frozen=True)
class Places:
    """Where a cell's files are, as dvc.yaml has it: paths with `${item.test}` and the like."""

    judgments: str
    generations: str
    reference: str

    def of(self, cell: Cell) -> "Places":
        """Give the paths of one cell."""
        paths = [self.judgments, self.generations, self.reference]
        for axis, value in cell._asdict().items():
            paths = [path.replace(f"${{item.{axis}}}", value) for path in paths]
        return Places(*paths)


@dataclass(frozen=True)
class Pair:
    """One cell in both versions."""

    cell: Cell
    then: Side
    now: Side
    leads: tuple[Leads, Leads]  # then and now
    others: list[str]  # what changed besides the student

    def flips(self) -> list[Flip]:
        """List the items that flipped."""
        return flips(*self.leads)


@dataclass
class Gathered:
    """All cells that both versions have; `notes` on those that they do not, each once."""

    pairs: list[Pair] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def note(self, line: str) -> None:
        """Keep a line to be printed."""
        self.notes[line] = None


def print_diff(rev: str, page: Path) -> None:
    """Compare the working tree with a commit; print the differences, write the flips to `page`.

    Raises:
        BadInput: no such commit, or no cell that can be compared.
    """
    from rich.console import Console

    params = read_params()
    gathered = Gathered()
    with open_revision(rev) as then, open_revision(None) as now:
        _gather(params, then, now, gathered)
        if now.behind():
            gathered.note(
                "settings or files have changed since the last `dvc repro`: what is compared is "
                "what it made then"
            )
    console = Console(highlight=False, markup=False, emoji=False)
    if gathered.pairs:
        _write_page(page, rev, gathered.pairs)
        _print_pairs(console, rev, gathered.pairs, params.scores)
    for line in [*gathered.notes, *_caveats(gathered.pairs)]:
        console.print(plain(line), soft_wrap=True)
    if not gathered.pairs:
        raise BadInput(f"{rev}: nothing could be compared test item by test item")
    console.print(f"All flipped items, with every text and verdict: {page}", soft_wrap=True)


def _print_pairs(console: "Console", rev: str, pairs: Sequence[Pair], how: Resampling) -> None:
    print_rows(console, rev, _make_rows(pairs, how))
    for pair in pairs:
        print_flips(console, str(pair.cell), pair.flips(), pair.then, pair.now)


def _make_rows(pairs: Sequence[Pair], how: Resampling) -> list[Row]:
    """Compare each cell, and by test and judge the mean over references, base aside."""
    rows = []
    for test, judge in dict.fromkeys((pair.cell.test, pair.cell.judge) for pair in pairs):
        group = [pair for pair in pairs if (pair.cell.test, pair.cell.judge) == (test, judge)]
        rows += [
            Row(test, judge, [pair.cell.reference], compare(*pair.leads, how)) for pair in group
        ]
        group = [pair for pair in group if pair.cell.reference != BASE]
        if len(group) > 1:
            names = [pair.cell.reference for pair in group]
            then, now = (average([pair.leads[when] for pair in group]) for when in (0, 1))
            rows.append(Row(test, judge, names, compare(then, now, how)))
    return rows


def _gather(params: Params, then: Revision, now: Revision, gathered: Gathered) -> None:
    places = _read_places()
    wanted = {places.of(cell).judgments: cell for cell in map(Cell._make, params.cells())}
    known = [path for path in then.outputs("data/judgments") if path.endswith(".jsonl")]
    if not known:
        raise BadInput(f"{then.rev}: no judgments; the commit is older than this pipeline")
    for path in known:
        if path not in wanted:
            gathered.note(f"{path}: judged at {then.rev} and not in params.yaml now")
    for path, cell in wanted.items():
        if path not in known:
            gathered.note(f"{path}: not judged at {then.rev}")
            continue
        try:
            _add_pair(cell, places.of(cell), then, now, gathered)
        except Missing as error:
            gathered.note(str(error))
            gathered.note(_look(cell, then, now))


def _read_places() -> Places:
    return Places(
        str(rows_path("scores", "data/judgments/")),
        str(rows_path("judgments", "data/generations/")),
        str(rows_path("judgments", "data/references/")),
    )


def _add_pair(
    cell: Cell, places: Places, then: Revision, now: Revision, gathered: Gathered
) -> None:
    before, after = (_read_side(revision, places, gathered.note) for revision in (then, now))
    if before.judgments and after.judgments:
        leads = gather(before.judgments).by_id(), gather(after.judgments).by_id()
        others = _changed_others(places, then, now, before, after)
        gathered.pairs.append(Pair(cell, before, after, leads, others))
    elif before.judgments or after.judgments:  # else it has not answered this test set at all
        when = "now" if before.judgments else f"at {then.rev}"
        gathered.note(f"{places.judgments}: {when} the reference has not answered this test set")


def _read_side(revision: Revision, places: Places, note: Callable[[str], None]) -> Side:
    """Read one version of a cell; without its answers the verdicts still count."""

    def read_answers(path: str) -> Answers:
        try:
            rows = revision.read(path, lambda place: jsonl.read(place, Generation, unique="id"))
        except Missing as error:
            note(f"no texts of flipped items: {error}")
            return {}
        return {row.id: row for row in rows}

    judgments = revision.read(places.judgments, read_judgments)
    return Side(judgments, read_answers(places.generations), read_answers(places.reference))


def _changed_others(
    places: Places, then: Revision, now: Revision, before: Side, after: Side
) -> list[str]:
    """List what else the verdicts came from and is another one now."""
    old, new = then.inputs(places.judgments), now.inputs(places.judgments)
    if not (old and new):
        return []
    paths = {path for path in old.keys() | new.keys() if path.startswith(OTHERS)}
    changed = {path for path in paths if old.get(path) != new.get(path)}
    same_answers = before.reference and _outputs(before.reference) == _outputs(after.reference)
    if same_answers:
        changed.discard(places.reference)
    # of code the folder is enough
    return sorted({f"{Path(p).parent}/" if p.startswith("src/") else p for p in changed})


def _outputs(answers: Answers) -> dict[str, str]:
    return {id: answer.output for id, answer in answers.items()}


def _look(cell: Cell, then: Revision, now: Revision) -> str:
    """Tell both win rates from Git, for a cell whose verdicts cannot be had."""
    path = f"metrics/scores/{cell.test}/{cell.reference}/{cell.judge}.json"
    rates = [
        percent(revision.read(path, read_json).get("win_rate")) if revision.has(path) else "-"
        for revision in (then, now)
    ]
    return f"{cell}: {rates[0]} % then, {rates[1]} % now ({path}); not paired, so no interval"


def _caveats(pairs: Sequence[Pair]) -> list[str]:
    """Say once for each thing that changed besides the student which cells it touches."""
    touched: dict[str, list[str]] = {}
    for pair in pairs:
        for path in pair.others:
            touched.setdefault(path, []).append(str(pair.cell))
    return [
        f"{path} changed too: the difference may not be the student's alone "
        f"({'; '.join(cells) if len(cells) < len(pairs) else 'every comparison'})"
        for path, cells in touched.items()
    ]


def _write_page(page: Path, rev: str, pairs: Sequence[Pair]) -> None:
    """Write what flipped in each cell."""
    blocks = [f"# Test items that flipped between `{rev}` and the working tree"]
    for pair in pairs:
        blocks += write_section(str(pair.cell), pair.flips(), pair.then, pair.now)
    with atomic_file(page) as file:
        file.write("\n\n".join(blocks) + "\n")
