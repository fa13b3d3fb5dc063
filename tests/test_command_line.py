"""The `alpacare` command as a newcomer meets it: help, versions, names by the Tab key."""

import os
import re
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY, run

from alpacare.cli.ledger import ledger
from alpacare.cli.main import SECTIONS, main


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(REPOSITORY)
    return REPOSITORY


@pytest.mark.parametrize("group", [main, ledger], ids=lambda group: group.name)
def test_every_verb_has_one_whole_line(group: click.Group) -> None:
    lines = run(group, "-h").output.splitlines()
    assert max(map(len, lines)) <= 80
    for name, command in group.commands.items():
        (line,) = (line for line in lines if line.startswith(f"  {name} "))
        assert line.endswith(".")
        assert not line.endswith("...")
        assert run(command, "-h").exit_code == 0


@pytest.mark.parametrize("group", [main, ledger], ids=lambda group: group.name)
def test_the_help_of_every_verb_fits_80_columns(group: click.Group) -> None:
    for name in group.commands:
        lines = run(group, name, "-h").output.splitlines()
        assert max(map(len, lines)) <= 80, name


def test_each_verb_stands_in_one_section() -> None:
    listed = [command.name for commands in SECTIONS.values() for command in commands]
    assert sorted(listed) == sorted(main.commands)


def test_the_version_is_that_of_this_clone() -> None:
    version = re.search(r'^version = "(.+)"', (REPOSITORY / "pyproject.toml").read_text(), re.M)
    assert version
    assert run(main, "--version").output.startswith(f"alpacare {version[1]}, DVC 3.")


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("preset demo", {"demo"}),
        ("pin half", {"half-rows"}),
        ("review de", {"demo"}),
        ("review demo ters", {"terse"}),
        ("leaderboard --judge long", {"longest"}),
        ("fetch medinstruct-", {"medinstruct-test", "medinstruct-52k"}),
        ("accept training", {"training_curves"}),
        ("import ", {"instructions", "responses"}),
        ("compare all-rows no-such", set()),
    ],
)
def test_tab_completes_names(repository: Path, words: str, offered: set[str]) -> None:
    environment = os.environ | {
        "_ALPACARE_COMPLETE": "bash_complete",
        "COMP_WORDS": f"alpacare {words}",
        "COMP_CWORD": str(len(words.split(" "))),
    }
    told = CliRunner().invoke(main, [], prog_name="alpacare", env=environment).output
    assert {line.split(",")[1] for line in told.split()} == offered


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["preset", ""], "error: NAME is not given; name a preset: alpacare, "),
        (["compare", "", ""], "error: A is not given; name a model: all-rows, base, half-rows\n"),
        (["compare", "all-rows", ""], "error: B is not given; name a model: "),
        (["import", "", ""], "error: STAGE is not given; name a stage: instructions, responses"),
        (["import", "seeds", "x"], "error: STAGE: no stage 'seeds'; there are: instructions, "),
        (["fetch", ""], "error: DATASET is not given; name a dataset: alpaca-eval, "),
        (["preset"], "error: missing argument 'NAME'. Name a preset: alpacare, "),
        (["publish"], "error: missing option '--to'. Choose from: folder, hub (`main publish -h` "),
        (["train", "--seed", "x"], "error: invalid value for '--seed': 'x' is not a valid integer"),
        (["train", "--detach"], "error: --detach: no jobs are submitted here; leave it out"),
        (["compar"], "error: no such command 'compar'. Did you mean 'compare'? (`main -h` says"),
        (["ledger", "gc"], "error: missing argument 'PACK' (`main ledger gc -h` says what "),
        (["check", "--no"], "error: no such option '--no'"),
    ],
)
def test_what_make_was_not_given_is_asked_for(
    repository: Path, words: list[str], message: str
) -> None:
    """So is whatever else a command cannot take: each is one line."""
    done = run(main, *words)
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert message in done.output


def test_names_are_not_guessed_outside_of_a_repository(workspace: Path) -> None:
    done = run(main, "compare", "", "b")
    assert "name a model: none is here; is this the repository's top folder?" in done.output


def test_make_help_fits_and_lists_every_target() -> None:
    done = subprocess.run(
        ["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    listed = {line.split()[0] for line in lines if re.match(r"  [a-z]", line)}
    makefile = (REPOSITORY / "Makefile").read_text().replace("\\\n", "")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.M)
    assert phony
    inner = {"repro-here", "buy-here", "train-here", "test-tools"}
    assert listed == set(phony[1].split()) - inner
