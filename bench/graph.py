"""What DVC itself costs a study: CPU seconds of a `dvc repro` that does nothing, lines of dvc.lock.

    python bench/graph.py [--save]

Nothing expensive runs: a copy of the working tree gets test sets of 20 tasks, outputs that stand
for real ones, and a dvc.lock with their hashes. Measured are the demo, and a study of the paper's
size: 4 students x 3 training seeds x 3 test sets x 4 references x 2 judges = 288 comparisons, and
beside them one contestant and one student head to head. Of the demo also the columns of
`dvc exp show --csv`, from the real metrics.
"""

import csv
import io
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import click
from results import report, save_option
from rich.console import Console
from rich.table import Column, Table

from alpacare.records.task import row_id

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from clones import copy_tree  # noqa: E402

TASKS = 20
# Runs in a copy: writes what its stages would, and a dvc.lock in one go.
FILL = """
from pathlib import Path
from dvc.repo import Repo
from dvc.stage.serialize import to_single_stage_lockfile
from ruamel.yaml import YAML

with Repo() as repo, repo.lock:
    for stage in repo.index.stages:
        for out in stage.outs:
            path = Path(out.fs_path)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.suffix and not path.exists():
                path.mkdir()
                for name in ("history.jsonl", "training.json"):
                    (path / name).write_text("{}")
            elif not path.exists():
                path.write_text("{}")
    entries = {}
    for stage in repo.index.stages:
        stage.save()
        stage.commit()
        if stage.cmd:
            entries[stage.name] = to_single_stage_lockfile(stage)
    with open("dvc.lock", "w") as file:
        YAML(typ="rt").dump({"schema": "2.0", "stages": entries}, file)
    print(len(entries))
"""


class Size(NamedTuple):
    """How many of each a study has, and its limits: seconds, lines."""

    students: int
    seeds: int
    tests: int
    references: int
    judges: int
    seconds: float
    lines: int


PAPER = Size(4, 3, 3, 4, 2, 5.0, 15_000)
DEMO_SECONDS, DEMO_LINES, DEMO_COLUMNS = 2.5, 3_000, 300


class Study:
    """A copy of the working tree whose dvc.lock is up to date, by outputs that stand for others."""

    def __init__(self, folder: Path, size: Size | None = None) -> None:
        folder.mkdir(parents=True)
        copy_tree(folder)
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "DVC_SITE_CACHE_DIR": str(folder.parent / f"{folder.name}-site-cache"),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        if size:
            self.resize(size)
        self.run("git", "init", "-q", "-b", "main")
        self.stages = int(self.run(sys.executable, "-c", FILL)[1])
        self.run("git", "add", "--all")
        name = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
        self.run("git", *name, "commit", "-qm", "a study")

    def resize(self, size: Size) -> None:
        """Write files for so many students, test sets and judges, and name them in params.yaml."""
        names = {
            letter: [f"{letter}{n}" for n in range(count)]
            for letter, count in zip("strj", (size[0], *size[2:5]), strict=True)
        }
        text = (self.folder / "students/all-rows.yaml").read_text()
        for student in names["s"]:
            (self.folder / f"students/{student}.yaml").write_text(text)
        for judge in names["j"]:
            path = self.folder / "prompts/judges" / judge / "settings.yaml"
            path.parent.mkdir()
            path.write_text("kind: longest\ntie_margin: 0\n")
        for test in names["t"]:
            self._write_test(test, names["r"])
        lists = {
            "tests": names["t"],
            "students": names["s"],
            "training_seeds": [str(n) for n in range(size.seeds)],
            "models.written": names["r"],
            "judgments.references": names["r"],
            "judgments.judges": names["j"],
        }
        edits = [f"{key}=[{', '.join(values)}]" for key, values in lists.items()]
        edits.append(f"judgments.head_to_head={names['s'][0]}")
        self.run("alpacare", "set", *edits)

    def run(self, *command: str) -> tuple[float, str]:
        """Run a command; give its CPU seconds and what it printed."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{command}:\n{done.stdout}\n{done.stderr}")
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, done.stdout.strip()

    def repro_seconds(self) -> float:
        """Run `dvc repro` until it does nothing and knows all files, and time it then."""
        self.run("dvc", "repro")
        timed = [self.run("dvc", "repro") for _ in range(3)]
        assert all("Running stage" not in text for _, text in timed), timed[0][1]
        return min(seconds for seconds, _ in timed)

    def lock_lines(self) -> int:
        """Count the lines of dvc.lock."""
        return len((self.folder / "dvc.lock").read_text().splitlines())

    def columns(self) -> int:
        """Count the columns of `dvc exp show`."""
        _, text = self.run("dvc", "exp", "show", "--csv")
        return len(next(csv.reader(io.StringIO(text))))

    def _write_test(self, name: str, references: list[str]) -> None:
        answers = {each: f"{each} says so." for each in references}
        rows = [
            {
                "id": row_id(f"Say {n}", ""),
                "instruction": f"Say {n}",
                "input": "",
                "answers": answers,
            }
            for n in range(TASKS)
        ]
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / f"data/tests/{name}.jsonl").write_text(lines)


@click.command(help=__doc__)
@save_option
def main(save: bool) -> None:
    """Measure both studies, and print them beside their limits."""
    with tempfile.TemporaryDirectory() as temporary:
        demo = Study(Path(temporary) / "demo")
        paper = Study(Path(temporary) / "paper", PAPER)
        figures: dict[str, tuple[float, float | None]] = {
            "demo, stages": (demo.stages, None),
            "demo, lines of dvc.lock": (demo.lock_lines(), DEMO_LINES),
            "demo, repro that does nothing, CPU s": (demo.repro_seconds(), DEMO_SECONDS),
            "demo, columns of dvc exp show": (demo.columns(), DEMO_COLUMNS),
            "288 comparisons, stages": (paper.stages, None),
            "288 comparisons, lines of dvc.lock": (paper.lock_lines(), PAPER.lines),
            "288 comparisons, repro that does nothing, CPU s": (
                paper.repro_seconds(), PAPER.seconds,
            ),
        }  # fmt: skip
    table = Table("graph", Column("here", justify="right"), Column("limit", justify="right"), "")
    for name, (value, limit) in figures.items():
        said = "" if limit is None else "holds" if value <= limit else "EXCEEDED"
        table.add_row(name, f"{value:,.5g}", "" if limit is None else f"{limit:,.5g}", said)
    Console().print(table)
    report("graph", {name: round(value, 2) for name, (value, _) in figures.items()}, save)


if __name__ == "__main__":
    main()
