"""A temporary clone of the working tree, with a Git history and a cache of its own."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.file_lock import hold_lock

# stages with a result that is in Git and not in the cache: DVC has no run-cache for them
CHEAP = {
    *("seeds", "filtered", "seed_statistics", "task_statistics", "llm_usage", "statistics"),
    *("category_counts", "student_rows", "training_curves", "scores", "contestant_scores"),
    *("local_scores", "local_contestant_scores"),
}


class Clone:
    """A clone of the working tree with a Git history and a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        scripts = str(Path(sys.executable).parent)
        self.environment = {
            **os.environ,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder / "src"),
            "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache"),
            "HF_HUB_OFFLINE": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }

    def start(self) -> "Clone":
        """Begin its history with what is in the folder."""
        self.git("init", "-q", "-b", "main")
        self.commit("start")
        return self

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def ok(self, *command: str, cwd: Path | None = None) -> str:
        done = self.run(*command, cwd=cwd)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        name = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        return self.ok("git", *name, *arguments, cwd=cwd)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """Replace the first `old` in a file by `new`; the end of the block takes it back."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new, 1))
        try:
            yield
        finally:
            file.write_text(text)

    def repro(self, *options: str) -> set[str]:
        """Run `dvc repro` and name the stages it ran, without their matrix cell's name."""
        text = self.ok("dvc", "repro", *options)
        return {cell.split("@")[0] for cell in ran(text)}

    def repro_from_cache(self) -> None:
        """Run `dvc repro` where every result was had before: only cheap stages may run again.

        Their results stand in Git and not in the cache, and take a second.
        """
        assert self.repro() <= CHEAP
        assert self.changes() == ""

    def run_page(self, page: str) -> None:
        """Type every command of a page of docs/, block by block."""
        text = (self.folder / f"docs/{page}.md").read_text()
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert blocks
        for block in blocks:
            script = block.replace("source .venv/bin/activate\n", "")  # the test has its own
            self.ok("bash", "-euo", "pipefail", "-c", script)
        assert self.changes() == "", "the page's last lines take its edits back"

    def changes(self) -> str:
        """What is not as it was committed: DVC stages what it writes, not what it takes back."""
        self.git("add", "--all")
        return self.git("status", "--short")

    def hashes(self) -> dict[str, str]:
        """Every out's hash from dvc.lock."""
        from alpacare.core.settings import read_yaml

        stages = read_yaml(self.folder / "dvc.lock")["stages"]
        return {out["path"]: out["md5"] for s in stages.values() for out in s.get("outs", [])}


def copy_tree(target: Path) -> None:
    """Copy what Git would publish: tracked files and new ones that are not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, target / name)  # may be a script


def ran(text: str) -> list[str]:
    """The stages that `dvc repro` says it ran, each with its matrix cell's name."""
    lines = (line for line in text.splitlines() if line.startswith("Running stage"))
    return [line.split("'")[1] for line in lines]


_SMALLER = {  # in the preset that documents go back to, too
    "training_seeds: [0, 1]": "training_seeds: [0]",
    "references: [thorough, terse, base]": "references: [terse, base]",
    "max_new_tokens: 128": "max_new_tokens: 8",
}
QUICK = {  # files as text: what is checked in, and what makes the pipeline take seconds
    "params.yaml": {
        **_SMALLER,
        "judges: [overlap, longest]": "judges: [overlap]",
        "requests: 59": "requests: 6",
        "hidden_size: 96": "hidden_size: 16",
        "resamples: 2000": "resamples: 200",
    },
    "presets/demo.yaml": _SMALLER,
    "students/all-rows.yaml": {"max_steps: 300": "max_steps: 4"},
    "students/half-rows.yaml": {"max_steps: 300": "max_steps: 4", "take: 166": "take: 12"},
}


def quick_clone(tmp: pytest.TempPathFactory, name: str) -> Clone:
    """A clone whose pipeline has run, in seconds, with students that learnt next to nothing.

    What it made is committed. It is made once for all test processes, and copied for each module.
    """
    parallel = "PYTEST_XDIST_WORKER" in os.environ  # each process then has a folder below the run's
    made = (tmp.getbasetemp().parent if parallel else tmp.getbasetemp()) / "quick"
    made.mkdir(exist_ok=True)
    with hold_lock(made / "lock", wait=True):
        if not (made / "done").exists():
            shutil.rmtree(made / "clone", ignore_errors=True)
            _run_quickly(made / "clone")
            (made / "done").touch()
    folder = tmp.mktemp(name) / "clone"
    shutil.copytree(made / "clone", folder, symlinks=True)
    return Clone(folder)


def _run_quickly(folder: Path) -> None:
    folder.mkdir(parents=True)
    copy_tree(folder)
    for name, edits in QUICK.items():
        text = (folder / name).read_text()
        for old, new in edits.items():
            assert text.count(old) == 1, f"{old!r} is not once in {name}"
            text = text.replace(old, new)
        (folder / name).write_text(text)
    clone = Clone(folder).start()
    clone.ok("alpacare", "check", "--run")  # removes what cells left that are no more
    clone.ok("dvc", "repro")
    clone.commit("quick run")


def clone_for_pages(tmp: pytest.TempPathFactory, name: str) -> Clone:
    """A quick clone for the commands of docs/: with two judges, whose agreement is on a page."""
    clone = quick_clone(tmp, name)
    clone.ok("alpacare", "set", "judgments.judges=[overlap, longest]")
    for preset in ("bioinstruct", "demo"):  # comments then stand where a preset puts them
        clone.ok("alpacare", "preset", preset)
    clone.ok("dvc", "repro")
    clone.commit("two judges")
    return clone
