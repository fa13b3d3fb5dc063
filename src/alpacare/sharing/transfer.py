"""Behind `alpacare push` and `alpacare pull`: outputs, run-cache and packs, to a remote and back.

DVC does the moving. What is ours: one look at the remote before a hundred files run into the same
wall, one line when it fails, and the question afterwards whether everything is where it should be.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from alpacare.core.errors import BadInput
from alpacare.sharing.cache_packs import pack_new_answers, take_packs_in
from alpacare.sharing.remotes import STORAGE, WEIGHTS, check_plugin
from alpacare.sharing.run_cache import pull_runs, push_runs

_LOGGERS = ("dvc", "dvc_data", "dvc_objects")
_LONGEST = 300  # characters of an error that are shown


class Gap(NamedTuple):
    """An output of which something is not in the cache, and where the remote has what."""

    path: str
    there: list[str]


def push_all() -> Iterator[str]:
    """Push outputs, new answers and the run-cache; tell what was moved and what could not be.

    Raises:
        BadInput: the remote cannot be reached or failed; the same command goes on from there.
    """
    yield from pack_new_answers()
    with _open_repo() as (repo, remote, _):
        files = repo.push()
        runs = push_runs(repo, remote)
        gaps = list(_gaps(repo))
    yield f"pushed {files} files and {runs} runs of stages; the rest was there already"
    for gap in gaps:
        if not gap.there:
            yield f"not pushed: {gap.path} is not here; `dvc repro` makes it, where it can be made"
    yield "next: git commit dvc.lock, metrics and *.dvc files that changed; git push"


def pull_all() -> Iterator[str]:
    """Pull outputs, run-cache and answers; tell what came and what nobody has pushed.

    Raises:
        BadInput: the remote cannot be reached or failed, or something came back changed: then the
            working tree is as it was, and nothing that was changed is kept.
    """
    with _open_repo() as (repo, remote, told):
        runs, changed = pull_runs(repo, remote)
        files = _fetch(repo, told)
        gaps = list(_gaps(repo))
        _refuse_changed(gaps)
        _check_out(repo)
    yield f"pulled {files} files and {runs} runs of stages"
    if changed:
        yield f"left out: {changed} runs of stages, which came back changed"
    for gap in gaps:
        yield f"nobody has pushed {gap.path}; `alpacare push` where it was made, or `dvc repro`"
    yield from take_packs_in()


@contextmanager
def _open_repo() -> Iterator[tuple[Any, Any, list[BaseException]]]:
    """Open the project and its remote; what goes wrong becomes one line that names the remote."""
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "3")  # botocore's five may take minutes
    from dvc.config import ConfigError  # type: ignore[import-untyped]
    from dvc.exceptions import DvcException  # type: ignore[import-untyped]
    from dvc.repo import Repo  # type: ignore[import-untyped]

    where = "the remote"
    with _quietly() as told:
        try:
            with Repo() as repo:
                where = _name_remotes(repo.config["remote"])
                remote = repo.cloud.get_remote()
                _reach(remote)
                yield repo, remote, told
        except BadInput:
            raise
        except KeyboardInterrupt:
            told_so = "stopped: what was moved stays; the same command goes on"
            raise KeyboardInterrupt(told_so) from None
        except ConfigError as error:
            raise BadInput(f".dvc/config: {_tell(error)}; `alpacare remote URL` sets it") from error
        except Exception as error:  # each kind of remote fails in its own way
            if isinstance(error, DvcException) and not told:  # it is not the remote
                raise BadInput(_tell(error)) from error
            raise BadInput(
                f"{where}: {_tell([*told, error][0])}; what was moved stays: mend that "
                "(docs/remotes.md) and give the same command again"
            ) from error


def _name_remotes(remotes: dict[str, Any]) -> str:
    """Name them as their addresses, for errors; see that their plugins are there."""
    urls = [str(remotes.get(name, {}).get("url", "")) for name in (STORAGE, WEIGHTS)]
    own = [url for url in urls if url and not url.startswith("remote://")]
    for url in own:
        check_plugin(url)
    return " or ".join(own)


@contextmanager
def _quietly() -> Iterator[list[BaseException]]:
    """Keep DVC from printing, and give the errors that it would have printed."""
    told: list[BaseException] = []
    handler = logging.Handler(logging.ERROR)

    def keep(record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            told.append(record.exc_info[1])

    handler.emit = keep  # type: ignore[method-assign]
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.handlers for logger in loggers]
    try:
        for logger in loggers:
            logger.handlers = [handler]
        yield told
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers = handlers


def _fetch(repo: Any, told: list[BaseException]) -> int:
    """Fetch what DVC can get; what it cannot, `_gaps` names."""
    from dvc.exceptions import DownloadError
    from dvc_objects.errors import ObjectFormatError

    try:
        count: int = repo.fetch()
        return count
    except ObjectFormatError:  # the list of a folder came back changed
        return 0
    except (DownloadError, FileNotFoundError):
        if any(not isinstance(error, FileNotFoundError) for error in told):
            raise
        told.clear()
        return 0  # a file that such a list names is not there


def _check_out(repo: Any) -> None:
    """Put into the working tree what is in the cache."""
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


def _tell(error: BaseException) -> str:
    """Say in one line what went wrong, and under it why."""
    lines: dict[str, None] = {}
    each: BaseException | None = error
    while each is not None:
        lines[" ".join(str(each).split()) or type(each).__name__] = None
        each = each.__cause__
    text = ": ".join(lines)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _reach(remote: Any) -> None:
    """Ask the remote one small thing: is it there?"""
    fs = remote.fs
    if fs.exists(remote.path) or fs.protocol in ("gs", "ssh"):  # there, folders come with files
        return
    if fs.protocol == "s3":
        with suppress(FileNotFoundError):
            fs.info(fs.parts(remote.path.lstrip("/"))[0])
            return
    raise BadInput(
        f"{fs.unstrip_protocol(remote.path)}: is not there, and `alpacare push` does not make it; "
        "is it misspelt, its disk not mounted? `alpacare remote URL` sets another"
    )


def _gaps(repo: Any) -> Iterator[Gap]:
    """Find outputs of which something is not in the cache."""
    for out in repo.index.outs:
        lacking = {oid for oid in _hashes(out) if not out.cache.exists(oid)}
        if not lacking:
            continue
        odb = repo.cloud.get_remote_odb(out.remote)
        # a folder's list too: while it is there, DVC takes the whole folder for pushed
        there = sorted(odb.oids_exist([*lacking, out.hash_info.value]))
        places = [odb.fs.unstrip_protocol(odb.oid_to_path(oid)) for oid in there]
        yield Gap(out.def_path, places)


def _hashes(out: Any) -> set[str]:
    """Give the hashes of an output's files, and for a folder that of its list."""
    if not out.use_cache or not out.hash_info:
        return set()
    own = {out.hash_info.value}
    if not out.is_dir_checksum or not out.cache.exists(out.hash_info.value):
        return own
    return own | {oid.value for ids in out.get_used_objs().values() for oid in ids}


def _refuse_changed(gaps: list[Gap]) -> None:
    """Stop if the remote has a file that DVC hashed when it came, and did not keep."""
    for gap in gaps:
        if gap.there:
            raise BadInput(
                f"{gap.path}: came back changed or not whole, and was not kept; delete there "
                f"{' and '.join(gap.there)}, then `alpacare push` where it was made"
            )
