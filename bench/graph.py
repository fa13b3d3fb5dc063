"""What DVC itself costs, in CPU seconds: the graph of an earlier commit beside that of HEAD.

    python bench/graph.py [--before REV] [--save]

Studies are generated, with test sets of 20 tasks, and nothing expensive runs: outputs are written
and their hashes put into dvc.lock. Measured are a `dvc repro` that does nothing, for the demo and
for 60 comparisons (3 test sets x 5 references x 4 judges), and one that adds a judge by rule to 48.
`pure` is REV without ruamel.yaml.clib, as it was installed then.
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from results import report, save_option

from alpacare.records.task import row_id

BEFORE = "3017db4"  # the last commit whose stages named every file of code
ROOT = Path(__file__).parents[1]
PURE = "import sys; sys.modules['_ruamel_yaml'] = None\n"  # ruamel.yaml then parses in Python
STUDIES = {  # test sets, references, judges
    "demo": (1, 2, 2),
    "60 comparisons": (3, 5, 4),
    "48 comparisons": (3, 4, 4),
}
# Runs in a clone: writes what its stages would, and a dvc.lock in one go.
FILL = """
import json, sys
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
        entries[stage.name] = to_single_stage_lockfile(stage)
    with open("dvc.lock", "w") as file:
        YAML(typ="rt").dump({"schema": "2.0", "stages": entries}, file)
    print(len(entries))
"""


class Study:
    """A clone with generated test sets, answers and outputs, whose dvc.lock is up to date."""

    def __init__(self, source: Path, folder: Path, size: tuple[int, int, int]) -> None:
        subprocess.run(["git", "clone", "-q", str(source), str(folder)], check=True)
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
        }
        tests, references, judges = size
        self.tests = [f"t{n}" for n in range(tests)]
        self.references = [f"r{n}" for n in range(references)]
        self.judges = [f"j{n}" for n in range(judges)]
        self._write_data()
        self.set_judges(self.judges)
        self.stages = int(self.run(sys.executable, "-c", FILL)[1])

    def set_judges(self, names: list[str]) -> None:
        """Name the judges in params.yaml; each is the rule `longest` under another name."""
        for name in names:
            judge = self.folder / "prompts/judges" / name
            judge.mkdir(exist_ok=True)
            (judge / "settings.yaml").write_text("kind: longest\ntie_margin: 0\n")
        path = self.folder / "params.yaml"
        text = path.read_text()
        for key, values in (
            ("tests", self.tests),
            ("written", self.references),
            ("references", self.references),
            ("judges", names),
        ):
            text = re.sub(rf"^( *{key}): \[.*?\]", rf"\1: [{', '.join(values)}]", text, flags=re.M)
        path.write_text(text)

    def run(self, *command: str) -> tuple[float, str]:
        """Run a command; give its CPU seconds and what it printed."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{command}:\n{done.stdout}\n{done.stderr}")
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return seconds, done.stdout.strip()

    def _write_data(self) -> None:
        """Write test sets, and the answers of all: by the paths of both layouts."""
        for test in self.tests:
            said = [f"Say {n}" for n in range(20)]
            tasks = [{"id": row_id(text, ""), "instruction": text, "input": ""} for text in said]
            answers = {name: f"{name} says so." for name in self.references}
            self._rows(f"data/tests/{test}.jsonl", [task | {"answers": answers} for task in tasks])
            places = {"student": [f"data/generations/{test}"]}
            places["base"] = [f"data/base_generations/{test}", f"data/references/base/{test}"]
            for name in self.references:
                places[name] = [f"data/references/{test}/{name}", f"data/references/{name}/{test}"]
            for name, paths in places.items():
                rows = [
                    task | {"output": "So.", "generator": name, "finish_reason": "stop"}
                    for task in tasks
                ]
                for path in paths:
                    self._rows(f"{path}.jsonl", rows)
                    (self.folder / f"{path}.json").write_text('{"engine": "written"}')

    def _rows(self, path: str, rows: list[dict[str, object]]) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def measure(source: Path, pure: bool) -> dict[str, float]:
    """Measure the graph of one commit; `pure`: without ruamel.yaml.clib."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name, size in STUDIES.items():
            study = Study(source, Path(temporary) / name.replace(" ", "-"), size)
            if pure:
                blocked = Path(temporary) / "pure"
                blocked.mkdir(exist_ok=True)
                (blocked / "sitecustomize.py").write_text(PURE)
                study.environment["PYTHONPATH"] += f"{os.pathsep}{blocked}"
            found[f"{name}: stages"] = study.stages
            found[f"{name}: lines of dvc.lock"] = len(
                (study.folder / "dvc.lock").read_text().splitlines()
            )
            study.run("dvc", "repro")  # the hashes of all files are known after this
            seconds, text = study.run("dvc", "repro")
            assert "Running stage" not in text, text
            if name != "48 comparisons":
                found[f"{name}: repro that does nothing"] = round(seconds, 2)
                continue
            study.set_judges([*study.judges, "new"])
            seconds, text = study.run("dvc", "repro")
            found[f"{name}: a judge added"] = round(seconds, 1)
            found[f"{name}: stages run for it"] = text.count("Running stage")
    return found


@click.command(help=__doc__)
@click.option("--before", default=BEFORE, show_default=True, help="The commit to compare with.")
@save_option
def main(before: str, save: bool) -> None:
    """Measure both commits, and print them side by side."""
    columns = {}
    with tempfile.TemporaryDirectory() as temporary:
        old = Path(temporary) / "before"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(old)], check=True)
        subprocess.run(["git", "-C", str(old), "checkout", "-q", "--detach", before], check=True)
        columns["pure"] = measure(old, True)
        columns["before"] = measure(old, False)
    columns["now"] = measure(ROOT, False)
    print(f"{'CPU seconds':44}" + "".join(f"{name:>10}" for name in columns))
    for figure in columns["now"]:
        print(f"{figure:44}" + "".join(f"{column[figure]:>10g}" for column in columns.values()))
    report("graph", columns["now"], save)


if __name__ == "__main__":
    main()
