"""Checks of `alpacare doctor` on the clone: Git, remotes, keys, budget, ledger, settings.

Imports stand in the functions: one that breaks must not keep the other checks from running.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from alpacare.core.errors import BadInput
from alpacare.doctor.finding import Finding, ok, warning, wrong

if TYPE_CHECKING:
    from alpacare.llm.endpoints import Endpoint
    from alpacare.pipeline.params import Params

_PATIENCE = 8.0  # seconds until a remote counts as out of reach


def check_git() -> Iterator[Finding]:
    """The repository is one, whole and its user's: DVC takes no other."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--absolute-git-dir"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        yield wrong("no `git` on this machine; install it")
        return
    here, store = Path.cwd(), done.stdout.strip()
    if "dubious" in done.stderr:
        yield wrong(
            f"{here} belongs to user {here.stat().st_uid}, and you are {os.getuid()}: chown it, or "
            f"run `git config --global --add safe.directory {here}`"
        )
    elif done.returncode:
        yield wrong(f"{here} is no Git repository; clone the project, or run `git init`")
    elif not (os.access(here, os.W_OK) and os.access(store, os.W_OK)):
        yield wrong(f"{here} cannot be written by user {os.getuid()}; chown it")
    else:
        yield ok(f"{here}, a repository of this user's")


def check_remotes() -> Iterator[Finding]:
    """Each of DVC's remotes answers within some seconds."""
    from dvc.repo import Repo  # type: ignore[import-untyped]

    with Repo() as repo:
        names = list(repo.config["remote"])
        default = repo.config["core"].get("remote")
        if not default:
            yield warning("DVC has no default remote: `make remote URL=...` sets one to share by")
        for name in names:
            yield _look_at(repo, name, " (the default)" if name == default else "")


def _look_at(repo: Any, name: str, role: str) -> Finding:
    """Ask a remote what it holds, in a thread that may be left behind."""
    told = f"{name}{role}, {_without_password(repo.config['remote'][name]['url'])}"
    came: list[Finding] = []
    asking = Thread(target=lambda: came.append(_ask(repo, name, told)), daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return came[0] if came else wrong(f"{told}: no answer within {_PATIENCE:.0f} s; is it up?")


def _ask(repo: Any, name: str, told: str) -> Finding:
    try:
        remote = repo.cloud.get_remote(name)
        if remote.fs.protocol == "local":
            return _look_at_folder(Path(remote.path), told)
        next(iter(remote.fs.ls(remote.path, detail=False)), None)
    except FileNotFoundError as error:
        if "bucket does not exist" in str(error):
            return wrong(f"{told}: {error}; make it, or mend the address")
        return warning(f"{told}: answers, and holds nothing yet; `dvc push` fills it")
    except Exception as error:  # each kind of remote fails in its own way
        said = str(error).strip().splitlines()
        why = said[0] if said else type(error).__name__
        return wrong(f"{told}: {why}; until it answers, `dvc push` and `dvc pull` fail")
    return ok(f"{told}: answers")


def _look_at_folder(path: Path, told: str) -> Finding:
    if not path.exists():
        return warning(f"{told}: does not exist yet; the first `dvc push` makes it")
    if not os.access(path, os.W_OK):
        return warning(f"{told}: cannot be written here, so `dvc push` will fail")
    return ok(f"{told}: is there")


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return urlunsplit(
        parts._replace(netloc=f"{parts.username}:...@{parts.netloc.rpartition('@')[2]}")
    )


def check_keys() -> Iterator[Finding]:
    """Each server that the settings ask has its key; the key itself is never shown."""
    from alpacare.pipeline.params import read_params

    users: dict[str, list[str]] = {}
    params = read_params()
    for stage, name in _asked(params):
        users.setdefault(name, []).append(stage)
    for name, stages in users.items():
        endpoint = params.endpoints[name]
        told = f"endpoint {name} ({', '.join(stages)})"
        if endpoint.offline:
            yield ok(f"{told}: no server, so no key")
        elif endpoint.api_key is None:
            yield ok(f"{told}: wants no key")
        else:
            yield _look_for_key(endpoint, told)


def _asked(params: "Params") -> Iterator[tuple[str, str]]:
    """Yield who asks which endpoint: stages, judges, references and sorters."""
    from alpacare.core.settings import read_yaml
    from alpacare.pipeline.dvc_yaml import dependencies
    from alpacare.pipeline.plan import asked_judges

    for stage in ("instructions", "responses", "generations"):
        if name := getattr(params, stage).endpoint:
            yield stage, name
    for judge, settings in asked_judges(params).items():
        yield f"judge {judge}", settings.endpoint
    for name in params.references.asked:
        (prompt,) = dependencies("asked", "prompts/", reference=name)
        yield f"reference {name}", read_yaml(prompt / "settings.yaml")["endpoint"]
    for name in params.categories:
        (prompt,) = dependencies("categories", "prompts/", sorter=name)
        yield f"sorter {name}", read_yaml(prompt / "settings.yaml")["endpoint"]


def _look_for_key(endpoint: "Endpoint", told: str) -> Finding:
    try:
        endpoint.read_key()
    except BadInput as error:
        return warning(f"{told}: {error}")
    return ok(f"{told}: {endpoint.api_key} is set")


def check_budget() -> Iterator[Finding]:
    """BUDGET is an amount, or not set."""
    from alpacare.llm.reservations import read_budget

    budget = read_budget()
    if budget is None:
        yield ok("BUDGET is not set: nothing is spent")
    else:
        yield ok(f"BUDGET is ${budget:,.2f}: this ledger never pays more in all")


def check_ledger() -> Iterator[Finding]:
    """Every answer in the ledger is as it was received."""
    from alpacare.llm.ledger import default_path
    from alpacare.llm.maintenance import open_ledger

    path = default_path()
    if not path.exists():
        yield ok(f"{path}: none yet; the first paid or imported answer makes it")
        return
    with open_ledger() as books:
        books.check()
        (count,) = books.connection.execute("SELECT count(*) FROM entries").fetchone()
    yield ok(f"{path}: {count:,} answers, as they were received")


def check_settings() -> Iterator[Finding]:
    """What params.yaml asks for is there, and fits this machine."""
    from alpacare.pipeline.check import check_all

    yield ok(check_all())
