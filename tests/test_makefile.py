"""What is given to `make` reaches a command as it is: neither make nor a shell runs any of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

RECORDS = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
ODD = [
    "x'; touch pwned; '",
    'x"; touch pwned; "',
    "$(shell touch pwned)",
    "$$(touch pwned)",
    "`touch pwned`",
    "${PATH}",
    "two\nlines; touch pwned",
    "*",
    "# a, b) (c \\",
]


@pytest.fixture
def clone(workspace: Path) -> Path:
    """The Makefile, and an `alpacare` that prints its arguments."""
    for name in ("Makefile", "tools/container"):
        (workspace / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, workspace / name)
    for name in ("requirements.lock", "pyproject.toml"):
        (workspace / name).touch()
    program = workspace / ".venv/bin/alpacare"
    program.parent.mkdir(parents=True)
    program.write_text(RECORDS)
    program.chmod(0o755)
    (workspace / ".venv/.complete").touch()
    return workspace


def make(*arguments: str, **environment: str) -> list[str]:
    done = subprocess.run(
        ["make", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("odd", ODD)
def test_no_value_is_run(clone: Path, odd: str) -> None:
    given = ["STAGE", "FILE", "NAME", "MODEL"]
    others = ["UNKNOWN", "BUDGET", "PYTHON", "VENV", "SHELL", "text", "given"]
    ran = make("import", *(f"{name}={odd}" for name in given + others))
    assert ran == ["import", odd, odd, "--name", odd, "--model", odd]
    to = ("TO", "OUT", "DATASET", "MODEL", "LICENCE", "MODEL_LICENCE", "LICENCE_TEXT")
    assert make("publish", *(f"{name}={odd}" for name in to))[2::2] == [odd] * len(to)
    assert make("remote", f"URL={odd}", f"WEIGHTS={odd}") == ["remote", odd, "--weights", odd]
    review = make("review", f"TEST={odd}", f"REFERENCE={odd}", f"N={odd}")
    assert review == ["review", odd, odd, "--n", odd]
    for target, name in (("fetch", "DATASET"), ("accept", "STAGE"), ("diff", "REV")):
        assert make(target, f"{name}={odd}") == [target, odd]
    assert make("table", f"FORMAT={odd}") == ["table", "--format", odd]
    assert make("preset", f"NAME={odd}", f"BASE={odd}") == ["preset", odd, "--base", odd]
    board = make("leaderboard", f"TEST={odd}", f"JUDGE={odd}")
    assert board == ["leaderboard", "--test", odd, "--judge", odd]
    assert make("compare", f"A={odd}", f"B={odd}") == ["compare", odd, odd]
    assert not Path("pwned").exists()


def test_every_option_is_passed(clone: Path) -> None:
    given = [
        "STAGE=responses",
        "FILE=my rows.csv",
        "MODEL=gpt-4o",
        "COLUMNS=instruction=Their q output=*",
        "SPLIT=train",
    ]
    options = ["--model", "gpt-4o", "--columns", "instruction=Their q output=*", "--split", "train"]
    assert make("import", *given) == ["import", "responses", "my rows.csv", *options]
    flags = make("publish", "TO=folder", "YES=1", "PUBLIC=")
    assert flags == ["publish", "--to", "folder", "--yes"]


def test_what_happens_to_be_in_the_environment_is_no_argument(clone: Path) -> None:
    names = ("NAME", "MODEL", "COLUMNS", "N", "REV", "FORMAT", "BASE", "WEIGHTS", "OUT", "YES",
             "TEST", "JUDGE", "STUDENT", "SEED", "A", "B", "WIDTH")  # fmt: skip
    leaked = dict.fromkeys(names, "leaked")
    assert make("import", "STAGE=s", "FILE=f", **leaked) == ["import", "s", "f"]
    assert make("leaderboard", **leaked) == ["leaderboard"]
    assert make("compare", **leaked) == ["compare", "", ""]
    assert make("graph", **leaked) == ["graph"]
    assert make("review", "TEST=t", "REFERENCE=r", **leaked) == ["review", "t", "r", "--n", "50"]
    assert make("preset", **leaked) == ["preset", ""]
    assert make("diff", **leaked) == ["diff", "HEAD"]
    assert make("table", **leaked) == ["table", "--format", "markdown"]
    assert make("publish", "TO=hub", **leaked) == ["publish", "--to", "hub"]


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ([], []),
        (["STUDENT=half-rows", "SEED=1"], ["--student", "half-rows", "--seed", "1"]),
        (["STUDENT=a'; touch pwned; '$(shell touch pwned)"],
         ["--student", "a'; touch pwned; '$(shell touch pwned)"]),
        (["WHERE=local"], ["--where", "local"]),
        (["WHERE=slurm", "DETACH=1"], ["--where", "slurm", "--detach"]),
        (["WHERE=a'; touch pwned; '$(shell touch pwned)"],
         ["--where", "a'; touch pwned; '$(shell touch pwned)"]),
    ],
)  # fmt: skip
def test_a_student_and_a_seed_are_trained_here_or_on_a_cluster(
    clone: Path, given: list[str], asked: list[str]
) -> None:
    leaked = {"ENGINE": "none", "SEED": "9", "WHERE": "slurm", "DETACH": "1"}
    assert make("train", *given, **leaked) == ["train", *asked]
    assert not Path("pwned").exists()


def test_only_a_training_on_this_machine_runs_in_the_container(clone: Path) -> None:
    Path("tools/container").write_text("#!/bin/sh\necho '[\"in the container\"]'\n")
    assert make("train") == make("train", "WHERE=local") == ["in the container"]
    assert make("train", "WHERE=slurm") == ["train", "--where", "slurm"]


def test_no_value_is_run_by_make_within_make_or_as_a_program(clone: Path) -> None:
    odd = "$(shell touch pwned)'; touch pwned; true '"
    shutil.copy(".venv/bin/alpacare", ".venv/bin/dvc")
    nested = ["make", "repro", f"FILE={odd}", f"BUDGET={odd}"]
    environment = os.environ | {"ENGINE": "none", "PYTHON": odd}
    done = subprocess.run(nested, env=environment, capture_output=True, text=True, check=False)
    assert '["changes"]' in done.stdout
    shutil.rmtree(".venv")
    for command in (["make", "setup", "PYTHON=true; touch pwned;"], ["make", "setup"]):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 2
    assert not Path("pwned").exists()
