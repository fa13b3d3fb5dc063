"""`alpacare push` and `alpacare pull`: outputs, run-cache and packs, to a remote and back.

DVC copies the files. Added here: a check of the remote before a hundred files fail alike, one line
when it fails, and a check afterwards that everything is where it should be.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.sharing.cache_packs import export_new_answers, import_all_packs
from alpacare.sharing.remote_hosts import (
    STORAGE,
    WEIGHTS,
    check_remote_hosts,
    hide_password,
)
from alpacare.sharing.remotes import check_plugin
from alpacare.sharing.run_cache import pull_runs, push_runs

_LOGGERS = ("dvc", "dvc_data", "dvc_objects")
_LONGEST = 300  # characters shown of an error


class MissingOutput(NamedTuple):
    """An output that is not wholly in the cache, and the addresses of its parts on the remote."""

    path: str
    on_remote: list[str]


def push_all() -> Iterator[str]:
    """Push outputs, new answers and the run-cache; yield lines about what was and was not pushed.

    Raises:
        BadInput: the remote cannot be reached or failed; the same command continues. Or its host
            is not in `hosts` of params.yaml.
    """
    check_remote_hosts()
    yield from export_new_answers()
    with _open_repo() as (repo, remote, _):
        files = repo.push()
        runs = push_runs(repo, remote)
        missing = list(_missing_outputs(repo))
    pushed = f"{counted(files, 'file')} and {counted(runs, 'run')} of stages"
    yield f"pushed {pushed}; the rest was there already"
    for output in missing:
        if not output.on_remote:
            yield f"not pushed: {output.path} is not here; `dvc repro` makes it"
    yield "next: git commit dvc.lock, metrics and *.dvc files that changed; git push"


def pull_all() -> Iterator[str]:
    """Pull outputs, run-cache and answers; yield lines about what was pulled and what is missing.

    Raises:
        BadInput: the remote cannot be reached or failed, or a file was changed there: the working
            tree stays as it was, and no changed file is stored.
    """
    with _open_repo() as (repo, remote, errors):
        runs, changed = pull_runs(repo, remote)
        files = _fetch(repo, errors)
        missing = list(_missing_outputs(repo))
        for output in missing:
            if output.on_remote:  # DVC did not accept the file, as its hash was wrong
                raise BadInput(
                    f"{output.path}: was changed on the remote or is not whole, and was not "
                    f"stored; delete {' and '.join(output.on_remote)}, then `alpacare push` where "
                    "it was made"
                )
        _check_out(repo)
    yield f"pulled {counted(files, 'file')} and {counted(runs, 'run')} of stages"
    if changed:
        yield f"left out: {counted(changed, 'run')} of stages, which were changed on the remote"
    for output in missing:
        yield f"nobody has pushed {output.path}; `alpacare push` where it was made, or `dvc repro`"
    yield from import_all_packs()


@contextmanager
def _open_repo() -> Iterator[tuple[Any, Any, list[BaseException]]]:
    """Open the project and its remote; an error becomes one line that names the remote."""
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "3")  # botocore's five may take minutes
    from dvc.config import ConfigError  # type: ignore[import-untyped]
    from dvc.exceptions import DvcException  # type: ignore[import-untyped]
    from dvc.repo import Repo  # type: ignore[import-untyped]

    remotes = "the remote"
    with _captured_errors() as errors:
        try:
            with Repo() as repo:
                remotes = _remote_addresses(repo.config["remote"])
                remote = repo.cloud.get_remote()
                _check_reachable(remote)
                yield repo, remote, errors
        except BadInput:
            raise
        except KeyboardInterrupt:
            stopped = "stopped: copied files stay; the same command continues"
            raise KeyboardInterrupt(stopped) from None
        except ConfigError as error:
            if "no remote" in str(error):
                raise BadInput(
                    "no remote is set, so there is nowhere to push to or pull from; "
                    "`make remote URL=s3://BUCKET/FOLDER` or a folder sets one (docs/remotes.md)"
                ) from error
            line = f".dvc/config: {_error_line(error)}; `alpacare remote URL` sets it"
            raise BadInput(line) from error
        except Exception as error:  # each kind of remote has its own errors
            if isinstance(error, DvcException) and not errors:  # it is not the remote
                raise BadInput(_error_line(error)) from error
            raise BadInput(
                f"{remotes}: {_error_line([*errors, error][0])}; correct that (docs/remotes.md) "
                "and give the same command again: copied files stay"
            ) from error


def _remote_addresses(remotes: dict[str, Any]) -> str:
    """Give the remotes' addresses for errors; check that their plugins are installed."""
    urls = [str(remotes.get(name, {}).get("url", "")) for name in (STORAGE, WEIGHTS)]
    own = [url for url in urls if url and not url.startswith("remote://")]
    for url in own:
        check_plugin(url)
    return " or ".join(map(hide_password, own))


@contextmanager
def _captured_errors() -> Iterator[list[BaseException]]:
    """Collect the errors that DVC logs instead of printing them."""
    errors: list[BaseException] = []
    handler = logging.Handler(logging.ERROR)

    def collect(record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            errors.append(record.exc_info[1])

    handler.emit = collect  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.handlers for logger in loggers]
    try:
        for logger in loggers:
            logger.handlers = [handler]
        yield errors
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers = handlers


def _fetch(repo: Any, errors: list[BaseException]) -> int:
    """Fetch what DVC can get; `_missing_outputs` finds the rest."""
    from dvc.exceptions import DownloadError
    from dvc_objects.errors import ObjectFormatError

    try:
        return int(repo.fetch())
    except ObjectFormatError:  # the list of a folder was changed
        return 0
    except (DownloadError, FileNotFoundError):
        if any(not isinstance(error, FileNotFoundError) for error in errors):
            raise
        errors.clear()
        return 0  # a file on such a list does not exist


def _check_out(repo: Any) -> None:
    """Update the working tree from the cache."""
    from dvc.exceptions import DvcException

    try:
        repo.checkout(allow_missing=True)
    except DvcException as error:
        unsaved = [line for line in str(error).splitlines() if line.startswith(repo.root_dir)]
        if not unsaved:
            raise
        raise BadInput(
            f"{unsaved[0]}: was changed here, and DVC has no copy of it; move it away, or give it "
            "up with `dvc checkout --force`"
        ) from error


def _error_line(error: BaseException) -> str:
    """Give an error and its causes in one line."""
    lines: dict[str, None] = {}
    each: BaseException | None = error
    while each is not None:
        lines[" ".join(str(each).split()) or type(each).__name__] = None
        each = each.__cause__
    text = ": ".join(lines)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _check_reachable(remote: Any) -> None:
    """Check with one small request that the remote exists."""
    fs = remote.fs
    if fs.exists(remote.path) or fs.protocol in ("gs", "ssh"):  # folders are created with files
        return
    if fs.protocol == "s3":
        with suppress(FileNotFoundError):
            fs.info(fs.parts(remote.path.lstrip("/"))[0])
            return
    raise BadInput(
        f"{fs.unstrip_protocol(remote.path)}: does not exist, and `alpacare push` does not create "
        "it; is it misspelt, is its disk not mounted? `alpacare remote URL` sets another"
    )


def _missing_outputs(repo: Any) -> Iterator[MissingOutput]:
    """Find the outputs that are not wholly in the cache."""
    for out in repo.index.outs:
        absent = {oid for oid in _hashes(out) if not out.cache.exists(oid)}
        if absent:
            odb = repo.cloud.get_remote_odb(out.remote)
            # a folder's list too: while it exists, DVC regards the whole folder as pushed
            present = sorted(odb.oids_exist([*absent, out.hash_info.value]))
            addresses = [odb.fs.unstrip_protocol(odb.oid_to_path(oid)) for oid in present]
            yield MissingOutput(out.def_path, addresses)


def _hashes(out: Any) -> set[str]:
    """Give the hashes of an output's files, and of a folder's list of files."""
    if not out.use_cache or not out.hash_info:
        return set()
    own = {out.hash_info.value}
    if not out.is_dir_checksum or not out.cache.exists(out.hash_info.value):
        return own
    return own | {oid.value for ids in out.get_used_objs().values() for oid in ids}
