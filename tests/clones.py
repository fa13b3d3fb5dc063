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

# results that stand in Git and not in the cache
CHEAP = {
    *("seeds", "seed_statistics", "task_statistics", "llm_usage", "statistics"),
    *("training_curves", "generation_statistics", "scores"),
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
        assert self.git("status", "--short") == ""

    def run_page(self, page: str) -> None:
        """Type every command of a page of docs/, block by block."""
        text = (self.folder / f"docs/{page}.md").read_text()
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        assert blocks
        for block in blocks:
            script = block.replace("source .venv/bin/activate\n", "")  # the test has its own
            self.ok("bash", "-euo", "pipefail", "-c", script)
        assert self.git("status", "--short") == "", "the page's last lines take its edits back"

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


QUICK = {  # params.yaml as text: what is checked in, and what makes the pipeline take seconds
    "written: [thorough, terse]": "written: [terse]",
    "references: [thorough, terse, base]": "references: [terse, base]",
    "judges: [overlap, longest]": "judges: [overlap]",
    "requests: 59": "requests: 6",
    "epochs: 5": "epochs: 1",
    "max_new_tokens: 128": "max_new_tokens: 8",
    "resamples: 2000": "resamples: 200",
}


def quick_clone(tmp: pytest.TempPathFactory, name: str) -> Clone:
    """A clone whose pipeline has run, in a few seconds, with a student that learnt next to nothing.

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
    params = folder / "params.yaml"
    text = params.read_text()
    for old, new in QUICK.items():
        assert text.count(old) == 1, f"{old!r} is not once in params.yaml"
        text = text.replace(old, new)
    params.write_text(text)
    for folder_of_cells in ("scores", "win_rates"):  # of cells that are no more
        shutil.rmtree(folder / "metrics" / folder_of_cells, ignore_errors=True)
    clone = Clone(folder).start()
    clone.ok("dvc", "repro")
    clone.commit("quick run")
