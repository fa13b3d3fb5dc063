"""The engine is asked for what a run needs and no more; a key is never on its command line."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import REPOSITORY

KEY = "sk-planted"
CLONE = ("Makefile", "params.yaml", "requirements.lock", "requirements-ray.lock", ".dockerignore",
         "Dockerfile", "pyproject.toml", "tools/container", ".dvc/config")  # fmt: skip


@pytest.fixture
def clone(workspace: Path) -> Path:
    """What `tools/container` and `make` read, in a folder with a blank in its name."""
    folder = workspace / "my clone"
    for name in CLONE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)
    return folder


def container(clone: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run tools/container with no more of this machine's environment than its PATH."""
    bare = {"PATH": os.environ["PATH"], "HOME": str(clone.parent), "ENGINE": "docker"}
    return subprocess.run(
        [str(clone / "tools/container"), *arguments],
        env=bare | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def command(clone: Path, *arguments: str, **environment: str) -> list[str]:
    """The engine's command line."""
    done = container(clone, "--dry-run", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return shlex.split(done.stdout)


def answers(program: str, argument: str) -> bool:
    if not shutil.which(program):
        return False
    return subprocess.run([program, argument], capture_output=True, check=False).returncode == 0


def values(line: list[str], option: str) -> list[str]:
    return [after for before, after in pairwise(line) if before == option]


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_run_is_the_callers_in_the_clones_own_folder(clone: Path, engine: str) -> None:
    line = command(clone, "run", "make", "train", ENGINE=engine)
    assert line[:2] == [engine, "run"]
    assert line[-3:] == ["localhost/alpacare", "make", "train"]
    assert values(line, "--user") == [f"{os.getuid()}:{os.getgid()}"]
    assert f"{clone}:{clone}" in values(line, "--volume")
    assert values(line, "--workdir") == [str(clone)]
    assert {"--rm", "--pull=never"} <= set(line)  # no stranger's image of that name
    assert "--privileged" not in line
    assert f"HF_HOME={clone.parent}/.cache/huggingface" in values(line, "--env")


def test_keys_go_in_by_name_only(clone: Path) -> None:
    params = clone / "params.yaml"
    params.write_text(params.read_text().replace("api_key: OPENAI_API_KEY", "api_key: OUR_KEY"))
    (clone / ".env").write_text(f"OPENAI_API_KEY={KEY}\n")
    given = {"OUR_KEY": KEY, "OPENAI_API_KEY": KEY, "AWS_SECRET_ACCESS_KEY": KEY, "HF_TOKEN": KEY}
    done = container(clone, "--dry-run", "run", "true", **given, BUDGET="5", UNRELATED="x")
    assert KEY not in done.stdout + done.stderr
    passed = values(shlex.split(done.stdout), "--env")
    assert {name for name in passed if "=" not in name} == {*given, "BUDGET"}


def test_a_file_with_a_key_is_there_and_cannot_be_changed(clone: Path) -> None:
    file = clone.parent / "google.json"
    file.write_text("{}")
    line = command(clone, "run", "true", GOOGLE_APPLICATION_CREDENTIALS=str(file))
    assert f"{file}:{file}:ro" in values(line, "--volume")


def test_gpus_are_asked_for_where_there_are_some(clone: Path) -> None:
    there = answers("nvidia-smi", "--list-gpus")
    for engine, asked in (
        ("docker", ["--gpus", "all"]),
        ("podman", ["--device", "nvidia.com/gpu=all"]),
    ):
        line = command(clone, "run", "true", ENGINE=engine)
        assert (values(line, asked[0]) == asked[1:]) == there
        assert (asked[0] in line) == there


def test_one_name_a_clone(clone: Path) -> None:
    other = clone.parent / "elsewhere" / clone.name
    shutil.copytree(clone, other)
    first, again, second = (
        values(command(each, "run", "true"), "--name")[0] for each in (clone, clone, other)
    )
    assert first == again != second
    assert re.fullmatch(r"alpacare-my-clone-\d+", first)
    assert values(command(clone, "shell"), "--name") == [first]


def test_folders_outside_of_the_clone_are_mounted(clone: Path) -> None:
    cache, models = clone.parent / "cache", clone.parent / "models"
    cache.mkdir()
    models.mkdir()
    (clone / ".dvc/config.local").write_text("[cache]\n    dir = ../../cache\n")
    mounted = values(command(clone, "run", "true", MOUNT=str(models)), "--volume")
    assert {f"{cache}:{cache}", f"{models}:{models}"} <= set(mounted)


def test_bases_of_students_and_local_models_are_mounted(clone: Path) -> None:
    bases = [clone.parent / name for name in ("seven", "thirteen", "other")]
    files = ("students/a.yaml", "students/b.yaml", "prompts/local_models/c/settings.yaml")
    for folder, name, key in zip(bases, files, ("base", "base", "model"), strict=True):
        folder.mkdir()
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text(f"# a model\n{key}: {folder}  # of ours\nrevision: null\n")
    mounted = values(command(clone, "run", "true"), "--volume")
    assert {f"{folder}:{folder}" for folder in bases} <= set(mounted)


def test_a_teams_ledger_is_mounted(clone: Path) -> None:
    ledger = clone.parent / "ledger"
    ledger.mkdir()
    line = command(clone, "run", "true", ALPACARE_LEDGER=str(ledger))
    assert f"{ledger}:{ledger}" in values(line, "--volume")
    assert "ALPACARE_LEDGER" in values(line, "--env")


def test_a_worktree_finds_its_repository(clone: Path) -> None:
    def git(*arguments: str) -> None:
        name = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        subprocess.run(["git", *name, *arguments], cwd=clone, check=True, capture_output=True)

    git("init", "-q")
    git("add", "--all", "--force")
    git("commit", "-qm", "start")
    git("worktree", "add", "-q", "../other")
    mounted = values(command(clone.parent / "other", "run", "true"), "--volume")
    assert f"{clone}/.git:{clone}/.git" in mounted
    assert f"{clone}/.ledger:{clone}/.ledger" in mounted
    assert f"{clone}/.git:{clone}/.git" not in values(command(clone, "run", "true"), "--volume")


def test_an_index_with_a_password_goes_in_as_a_secret(clone: Path) -> None:
    index = f"https://me:{KEY}@pypi.invalid/simple"
    line = command(clone, "image", PIP_INDEX_URL=index, BASE_IMAGE="debian:12", EXTRAS="ray")
    assert values(line, "--build-arg") == ["EXTRAS=ray", "BASE_IMAGE=debian:12"]
    secret = values(line, "--secret")[0]
    assert KEY not in " ".join(line)
    assert not Path(secret.split("src=")[1]).exists()  # it goes when the build is over


def test_without_an_engine_it_runs_here(clone: Path) -> None:
    done = container(clone, "run", "echo", "two words", ENGINE="none")
    assert (done.stdout, done.stderr) == ("two words\n", "")
    inside = container(clone, "run", "echo", "here", ENGINE="", ALPACARE_VENV="/opt/venv")
    assert (inside.stdout, inside.stderr) == ("here\n", "")


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["run", "true"], {"ENGINE": "lxc"}, "error: ENGINE=lxc: no such engine; give docker"),
        (["run"], {"ENGINE": "none"}, "error: run what? give a command"),
        (["image"], {"ENGINE": "none"}, "error: neither docker nor podman answers"),
        (["check"], {"ENGINE": "none"}, "error: neither docker nor podman answers"),
        (["--dry-run", "image"], {"EXTRAS": "gpu rey"}, "error: EXTRAS: no extra 'rey'; give some"),
        (["--dry-run", "run", "true"], {"MOUNT": "/no/such"}, "error: /no/such: no such folder"),
        (["run", "true"], {"ENGINE": "podman", "PATH": "/usr/bin:/bin"}, "error: ENGINE=podman"),
        (["dance"], {"ENGINE": "none"}, ""),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    clone: Path, arguments: list[str], environment: dict[str, str], line: str
) -> None:
    if "podman" in environment.values() and answers("podman", "info"):
        pytest.skip("podman answers here")
    done = container(clone, *arguments, **environment)
    assert done.returncode == 2
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == (1 if line else 0)


def make(clone: Path, *arguments: str, venv: Path) -> subprocess.CompletedProcess[str]:
    """Run make as in the image, whose packages are at `venv`."""
    return subprocess.run(
        ["make", *arguments],
        cwd=clone,
        env=os.environ | {"ALPACARE_VENV": str(venv)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_inside_nothing_is_installed_and_an_old_image_is_told(clone: Path) -> None:
    venv = clone.parent / "venv"
    venv.mkdir()
    shutil.copy(clone / "requirements.lock", venv)
    assert make(clone, "setup", venv=venv).returncode == 0
    assert not (clone / ".venv").exists()
    lacking = make(clone, "ray", venv=venv)
    assert (
        'the image was built without ray; outside, run: make image EXTRAS="remotes ray"'
        in lacking.stderr
    )
    with (clone / "requirements.lock").open("a") as file:
        file.write("another==1.0\n")
    old = make(clone, "setup", venv=venv)
    assert old.returncode == 2
    assert "requirements.lock is not the one that the image was built of" in old.stderr
    assert "outside, run: make image\n" in old.stderr


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_the_engine_takes_the_command_line(clone: Path, engine: str) -> None:
    """A real engine with the image runs it; without its daemon it reads the options at least."""
    if not shutil.which(engine):
        pytest.skip(f"no {engine} on this machine")
    line = command(clone, "run", "python", "-c", "import os; print(os.getuid())", ENGINE=engine)
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        assert done.stdout == f"{os.getuid()}\n"
    assert "unknown flag" not in done.stderr
    assert "invalid argument" not in done.stderr


def entrypoint(dockerfile: str) -> list[str]:
    found: list[str] = json.loads(re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.M)[0])
    return found


def test_files_made_inside_have_the_callers_umask(clone: Path) -> None:
    before = os.umask(0o027)
    try:
        line = command(clone, "run", "true")
    finally:
        os.umask(before)
    assert "ALPACARE_UMASK=0027" in values(line, "--env")
    inside = [*entrypoint((clone / "Dockerfile").read_text())[3:], "touch", str(clone / "made")]
    subprocess.run(inside, env=os.environ | {"ALPACARE_UMASK": "0027"}, check=True)
    assert (clone / "made").stat().st_mode & 0o777 == 0o640


STAGE = """
import fcntl, pathlib, signal, time
lock = open(".dvc/tmp/stage.lock", "a")
fcntl.flock(lock, fcntl.LOCK_EX)
def keep(*_):
    time.sleep(0.5)
    pathlib.Path("kept").touch()
    raise SystemExit(130)
signal.signal(signal.SIGINT, keep)
pathlib.Path("started").touch()
time.sleep(60)
"""


def test_a_stopped_container_ends_after_its_stage(workspace: Path) -> None:
    """What runs the stage, here a shell, ends at once; the container must not."""
    (workspace / ".dvc/tmp").mkdir(parents=True)
    (workspace / "stage.py").write_text(STAGE)
    text = (REPOSITORY / "Dockerfile").read_text()
    entry = entrypoint(text)
    assert entry[:3] == ["tini", "-g", "--"]
    assert "\nSTOPSIGNAL SIGINT\n" in text  # DVC lets its lock go
    run = [*entry[3:], "sh", "-c", f"{sys.executable} stage.py; true"]
    with subprocess.Popen(run, start_new_session=True) as process:
        while not (workspace / "started").exists():
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)  # as `tini -g` does
    assert process.returncode == 128 + signal.SIGINT
    assert (workspace / "kept").exists()
