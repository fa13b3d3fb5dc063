"""Checks of `alpacare doctor` on the clone: Git, remotes, keys, budget, ledger, settings.

Imports are inside functions: one that fails must not stop the other checks.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.doctor.finding import Finding, ok, warning, wrong
from alpacare.doctor.machine import network_disk

if TYPE_CHECKING:
    from alpacare.pipeline.params import Params

_REMOTE_TIMEOUT = 8.0  # seconds


def check_git() -> Iterator[Finding]:
    """Check that the folder is a Git repository that this user owns and can write: DVC needs it."""
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
        yield wrong(f"{here} is not a Git repository; clone the project, or run `git init`")
    elif not (os.access(here, os.W_OK) and os.access(store, os.W_OK)):
        yield wrong(f"{here} cannot be written by user {os.getuid()}; chown it")
    else:
        yield ok(f"{here}, a Git repository of this user")


def check_dvc() -> Iterator[Finding]:
    """Check that DVC can read its own files; what a kill cut off is restored."""
    from alpacare.pipeline.repair import repair_dvc

    if not Path(".dvc").is_dir():
        yield wrong("there is no folder .dvc here; run this from the repository's top folder")
        return
    lines = list(repair_dvc())
    yield from map(warning, lines)
    if not lines:
        yield ok("dvc.lock and *.dvc files are whole")


def check_remotes() -> Iterator[Finding]:
    """Check that each of DVC's remotes answers within some seconds."""
    from dvc.repo import Repo  # type: ignore[import-untyped]

    from alpacare.sharing.remote_hosts import NONE_YET

    with Repo() as repo:
        default = repo.config["core"].get("remote")
        if not default:
            yield warning("DVC has no default remote; `make remote URL=...` sets one for sharing")
        for name, remote in repo.config["remote"].items():
            if NONE_YET in str(remote.get("url")):
                continue
            yield _check_remote(repo, name, " (the default)" if name == default else "")


def _check_remote(repo: Any, name: str, role: str) -> Finding:
    """Ask a remote for its files, in a thread that may outlive the check."""
    from alpacare.sharing.remote_hosts import hide_password

    label = f"{name}{role}, {hide_password(repo.config['remote'][name]['url'])}"
    found: list[Finding] = []
    thread = Thread(target=lambda: found.append(_ask_remote(repo, name, label)), daemon=True)
    thread.start()
    thread.join(_REMOTE_TIMEOUT)
    no_answer = wrong(f"{label}: no answer within {_REMOTE_TIMEOUT:.0f} s; is it up?")
    return found[0] if found else no_answer


def _ask_remote(repo: Any, name: str, label: str) -> Finding:
    try:
        remote = repo.cloud.get_remote(name)
        if remote.fs.protocol == "local":
            return _check_folder(Path(remote.path), label)
        next(iter(remote.fs.ls(remote.path, detail=False)), None)
    except FileNotFoundError as error:
        if "bucket does not exist" in str(error):
            return wrong(f"{label}: {error}; create it, or correct the address")
        return warning(f"{label}: answers, and is empty; `dvc push` fills it")
    except Exception as error:  # each kind of remote raises errors of its own
        lines = str(error).strip().splitlines()
        why = lines[0] if lines else type(error).__name__
        return wrong(f"{label}: {why}; until it answers, `dvc push` and `dvc pull` fail")
    return ok(f"{label}: answers")


def _check_folder(path: Path, label: str) -> Finding:
    if not path.exists():
        return warning(f"{label}: does not exist yet; the first `dvc push` creates it")
    if not os.access(path, os.W_OK):
        return warning(f"{label}: cannot be written here, so `dvc push` will fail")
    return ok(f"{label}: exists")


def check_keys() -> Iterator[Finding]:
    """Check that each server in the settings has its key; the key itself is never shown."""
    from alpacare.pipeline.params import read_params

    users: dict[str, list[str]] = {}
    params = read_params()
    for stage, name in _endpoints(params):
        users.setdefault(name, []).append(stage)
    for name, stages in users.items():
        endpoint = params.endpoints[name]
        label = f"endpoint {name} ({', '.join(stages)})"
        if endpoint.offline:
            yield ok(f"{label}: no server, so no key")
        elif endpoint.api_key is None:
            yield ok(f"{label}: needs no key")
        else:
            try:
                endpoint.read_key()
                yield ok(f"{label}: {endpoint.api_key} is set")
            except BadInput as error:
                yield warning(f"{label}: {error}")


def _endpoints(params: "Params") -> Iterator[tuple[str, str]]:
    """Yield each stage, judge, model and sorter with its endpoint."""
    from alpacare.core.settings import read_yaml
    from alpacare.pipeline.dvc_yaml import dependencies
    from alpacare.pipeline.quoting.plan_evaluation import asked_judges, rubric_judges

    for stage in ("instructions", "responses"):
        yield stage, getattr(params, stage).endpoint
    for name in params.generations.servers:
        yield "generations", name
    for judge, settings in (*asked_judges(params).items(), *rubric_judges(params).items()):
        yield f"judge {judge}", settings.endpoint
    (prompts,) = dependencies("model_generations", "prompts/")
    for name in params.models.api:
        yield f"model {name}", read_yaml(prompts / name / "settings.yaml")["endpoint"]
    for name in params.verifiers:
        (prompt,) = dependencies("verified", "prompts/", verifier=name)
        yield f"verifier {name}", read_yaml(prompt / "settings.yaml")["endpoint"]
    for name in params.categories:
        (prompt,) = dependencies("categories", "prompts/", sorter=name)
        yield f"sorter {name}", read_yaml(prompt / "settings.yaml")["endpoint"]


def check_budget() -> Iterator[Finding]:
    """Check that BUDGET is an amount, or not set."""
    from alpacare.llm.reservations import read_budget

    budget = read_budget()
    if budget is None:
        yield ok("BUDGET is not set: nothing is spent")
    else:
        yield ok(f"BUDGET is ${budget:,.2f}: the most that this ledger spends in total")


def check_ledger() -> Iterator[Finding]:
    """Check that every answer in the ledger is as it was received, and none is elsewhere."""
    from alpacare.llm.ledger import default_path
    from alpacare.llm.maintenance import open_ledger
    from alpacare.llm.own_ledger import describe_unused

    path = default_path()
    if line := describe_unused():
        yield warning(line)
    if disk := network_disk(path):
        yield warning(
            f"{path}: is on a network disk ({disk}), where SQLite is safe only while one machine "
            "uses it: run nothing from two machines at once"
        )
    if not path.exists():
        yield ok(f"{path}: none yet; the first paid or imported answer creates it")
        return
    with open_ledger() as ledger:
        ledger.check()
        (count,) = ledger.connection.execute("SELECT count(*) FROM entries").fetchone()
    yield ok(f"{path}: {counted(count, 'answer')}, as received")


def check_settings() -> Iterator[Finding]:
    """Check that all that params.yaml names exists and fits this machine."""
    from alpacare.pipeline.check import check_all

    yield ok(check_all())
