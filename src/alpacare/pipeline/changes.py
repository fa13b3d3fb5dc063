"""Which expensive stages would run again, and why; and edits of code that change no result."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.pipeline.dvc_yaml import expensive_stages, group
from alpacare.pipeline.presets import flatten

CODE = "src/alpacare/"


@contextmanager
def open_repo() -> Iterator[Any]:
    """Open the DVC repository of the current folder.

    Raises:
        BadInput: there is none, or its files cannot be read.
    """
    from dvc.exceptions import DvcException  # type: ignore[import-untyped]
    from dvc.repo import Repo  # type: ignore[import-untyped]

    try:
        with Repo() as repo:
            yield repo
    except DvcException as error:
        raise BadInput(f"DVC: {error}") from error


def explain_rerun() -> Iterator[str]:
    """Give a line for each expensive stage that would run again, and one for those behind them.

    The line says why: `checkpoint: src/alpacare/training changed`.
    """
    with open_repo() as repo:
        names = expensive_stages()
        stages = {each.addressing: each for each in repo.index.stages}
        if not any(_has_run(stage) for stage in stages.values() if _group(stage) in names):
            yield "nothing has run here yet: every stage runs"
            return
        status = {name: each for name, each in repo.status().items() if name in stages}
        reasons: dict[str, dict[str, None]] = {}
        for stage in (stages[name] for name in status):
            if (group := _group(stage)) in names:
                changed = _reasons(stage, status[stage.addressing])
                why = changed if _has_run(stage) else ["has not run here yet"]
                reasons.setdefault(group, {}).update(dict.fromkeys(why))
        behind = {_group(stage) for stage in _behind(repo, status)} - reasons.keys()
    for name, why_all in reasons.items():
        yield f"will run: {name} ({', '.join(why_all)})"
    if later := [name for name in names if name in behind]:
        yield f"may run after that, if their inputs change: {', '.join(later)}"
    if not reasons and not behind:
        yield "no expensive stage would run"


def changed_cells(stages: Collection[str] = ()) -> set[str]:
    """Name the cells that are not as dvc.lock has them, and all that depend on them.

    With `stages`, the change must be in one of these: its code, settings, files, outputs.

    Raises:
        BadInput: DVC cannot be asked here.
    """
    with open_repo() as repo:
        status = [name for name in repo.status() if not stages or group(name) in stages]
        return {*status, *(each.addressing for each in _behind(repo, status))}


def cells_to_run(stage: str) -> set[str]:
    """Name the cells of a stage that `dvc repro` would run, and not bring back from its run-cache.

    Raises:
        BadInput: DVC cannot be asked here.
    """
    with open_repo() as repo:
        changed = repo.status()
        cells = [each for each in repo.index.stages if _group(each) == stage]
        return {
            each.addressing
            for each in cells
            if each.addressing in changed and not _in_run_cache(repo, each)
        }


def _in_run_cache(repo: Any, stage: Any) -> bool:
    from dvc.exceptions import DvcException

    try:
        stage.save_deps()  # all in memory: under these hashes the cache is searched
        for out in stage.outs:
            out.hash_info = type(out.hash_info)()  # else what it made before would do
        repo.stage_cache.restore(stage, dry=True)
    except DvcException:
        return False
    return True


def which_may_run(cells: Collection[str]) -> set[str]:
    """Give those of these cells, or stages, that changed, or of which one before did.

    All of them where DVC cannot tell.
    """
    try:
        changed = changed_cells()
    except BadInput:
        return set(cells)
    return {*changed, *map(group, changed)}.intersection(cells)


def may_run(stages: Collection[str]) -> bool:
    """Whether one of these stages, or cells, may run."""
    return bool(which_may_run(stages))


def code_changes(repo: Any, stage: str) -> dict[str, dict[str, list[str]]]:
    """Give the code that changed since a stage ran, by cell: {cell: {path: [before, now]}}.

    Raises:
        BadInput: there is no such stage, or something else than its code changed.
    """
    cells = [each for each in repo.index.stages if stage in (_group(each), each.addressing)]
    if not cells:
        known = ", ".join(dict.fromkeys(map(_group, repo.index.stages)))
        raise BadInput(f"no stage '{stage}' in dvc.yaml; there are: {known}")
    changed = {}
    for cell in cells:
        (changes,) = repo.status([cell.addressing]).values() or ([],)
        others = [reason for reason in _reasons(cell, changes) if not reason.startswith(CODE)]
        if others:
            raise BadInput(
                f"{cell.addressing}: more than its code has changed ({', '.join(others)}), so it "
                "has to run again: `dvc repro`"
            )
        if changes:
            changed[cell.addressing] = _hashes(cell)
    return changed


def _hashes(cell: Any) -> dict[str, list[str]]:
    """Give the hashes in dvc.lock and those of today of each code dependency that changed."""
    found = {}
    for dep in cell.deps:
        if dep.def_path.startswith(CODE) and dep.status():
            found[dep.def_path] = [dep.hash_info.value, dep.get_hash().value]
    return found


def _has_run(stage: Any) -> bool:
    """Whether DVC knows the outputs of a stage, and one at least is here."""
    return any(out.hash_info and out.exists for out in stage.outs)


def _group(stage: Any) -> str:
    return group(stage.addressing)


def _behind(repo: Any, status: Collection[str]) -> set[Any]:
    """Give the cells that depend on those in `status`."""
    graph = repo.index.graph  # an arrow leads from a stage to what it depends on
    todo = [stage for stage in graph if stage.addressing in status]
    seen: set[Any] = set()
    while todo:
        before = {stage for stage in graph.predecessors(todo.pop()) if stage not in seen}
        seen |= before
        todo += before
    return seen


def _reasons(stage: Any, changes: list[Any]) -> Iterator[str]:
    """Say what DVC's status of a stage means: `PATH changed`, `setting KEY changed`."""
    for change in changes:
        if change == "changed command":
            yield "its command changed"
        elif isinstance(change, dict):
            for path, state in change.get("changed deps", {}).items():
                if isinstance(state, dict):
                    yield from (f"setting {key} changed" for key in _changed_settings(stage, path))
                else:
                    yield f"{path} changed" if state == "modified" else f"{path}: {state}"
            for path, state in change.get("changed outs", {}).items():
                yield f"output {path}: {state}"
        else:
            yield str(change)


def _changed_settings(stage: Any, path: str) -> list[str]:
    """Name the settings of a file that have other values than in dvc.lock, as `checkpoint.lora`."""
    files = (dep for dep in stage.deps if hasattr(dep, "params") and dep.def_path == path)
    found = []
    for dep in files:
        before, now = (flatten(each or {}) for each in (dep.hash_info.value, dep.read_params()))
        found += [key for key in {**before, **now} if before.get(key) != now.get(key)]
    return [key if path == "params.yaml" else f"{path}:{key}" for key in found]
