"""What a running stage reads, as it was when the stage began.

DVC records settings, inputs and code as they are when a stage ends. If they are others by then, it
would record what the outputs were not made from; so the stage fails instead, and writes nothing.
Settings are read once. A file is compared when it is read, an own module when it is imported, and
all of them before an output gets its name and at the stage's end.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from alpacare.core.errors import BadInput
from alpacare.core.file_stamps import Stamp, ignored_names, is_same, make_stamp, walk

PARAMS, _DVC, IGNORED, _CODE = "params.yaml", "dvc.yaml", ".dvcignore", "src/alpacare"
_SHOWN = 3


class InputState:
    """The texts of settings, and the files below some folders, with hashes of their content.

    `models`: those of the folders that settings name, and not dvc.yaml.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        roots: Iterable[str] = (),
        models: Iterable[str] = (),
        files: Mapping[str, Sequence[Any]] = MappingProxyType({}),
    ) -> None:
        self.texts = dict(texts)
        self.roots, self.models = list(roots), list(models)
        self.files = {name: Stamp(*stamp) for name, stamp in files.items()}

    @classmethod
    def take(cls, inputs: Iterable[Path]) -> "InputState":
        """Take the state of these files and folders, of all code and of all settings."""
        state = cls({name: settings_text(name) for name in (PARAMS, _DVC, IGNORED)})
        for root in [*inputs, Path(_CODE)]:
            if root.exists():  # else it is an output: DVC deletes those before
                state._add(os.path.normpath(root))
        return state

    @classmethod
    def load(cls, path: Path) -> "InputState":
        """Read what `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Write it for the worker processes of the stage."""
        path.write_text(json.dumps(vars(self)), encoding="utf-8")

    def add_model(self, folder: Path) -> None:
        """Take the state of a folder with weights, too."""
        root = os.path.normpath(folder)
        if root not in self.models:
            self.models.append(root)
        self._add(root)

    def _add(self, root: str) -> None:
        if root in self.roots:  # it is held as it was then
            return
        self.roots.append(root)
        for file, status in walk(root, ignored_names(self.texts[IGNORED])):
            if file not in self.files:
                self.files[file] = make_stamp(file, status)

    def check(self) -> None:
        """Compare everything.

        Raises:
            BadInput: what the stage depends on has changed.
        """
        changed = self._changed_files()
        if changed or settings_text(PARAMS) != self.texts[PARAMS]:
            _refuse(self._changed_inputs(changed))

    def check_file(self, path: Path) -> None:
        """Compare one file, if it is one of the inputs; errors as `check`."""
        name = os.path.normpath(path)
        held = self.files.get(name)
        if held is not None and not is_same(name, held):
            _refuse([name])

    def find_spec(self, module: str, path: Any = None, target: Any = None) -> None:
        """Compare an own module that is about to be imported (as one of sys.meta_path)."""
        if module.startswith("alpacare."):
            place = Path("src", *module.split("."))
            self.check_file(place.with_suffix(".py"))
            self.check_file(place / "__init__.py")

    def _changed_files(self) -> list[str]:
        """Name the files that are others, new or gone; a touched one is none of them."""
        ignored = ignored_names(self.texts[IGNORED])
        now = {file: status for root in self.roots for file, status in walk(root, ignored)}
        new_or_gone = self.files.keys() ^ now.keys()
        others = (
            file
            for file, status in now.items()
            if file in self.files and not self.files[file].is_of(status)
            if not is_same(file, self.files[file])
        )
        return sorted({*new_or_gone, *others})

    def _changed_inputs(self, files: Iterable[str]) -> list[str]:
        """Name the changed files and settings that this stage depends on, as dvc.yaml says."""
        from alpacare.core.stage_entry import find, read_entry

        before, now = _parse(self.texts[PARAMS], PARAMS), _parse(settings_text(PARAMS), PARAMS)
        address = os.environ.get("DVC_STAGE", "").rpartition(":")[2]
        stages = _parse(self.texts[_DVC], _DVC).get("stages", {})
        entry = read_entry(address, stages, before)
        if entry is None:
            return [*files, *_differences("", before, now)]
        inputs = [*map(os.path.normpath, entry.deps), *self.models]
        found = [file for file in files if any(f"{file}/".startswith(f"{i}/") for i in inputs)]
        for key in entry.params:
            found += _differences(key, find(key, before), find(key, now))
        return found


_current: InputState | None = None  # of the stage that this process runs
_checked = 0.0  # when it was last compared
_AGAIN = 0.5  # seconds; a stage may write a hundred small files at its end


@contextmanager
def hold_inputs(inputs: Iterable[Path]) -> Iterator[None]:
    """Hold a stage of `dvc repro` to its inputs as they are now; without DVC nothing is recorded.

    Raises:
        BadInput: they have changed when the block ends, or before.
    """
    global _current
    if "DVC_STAGE" not in os.environ:
        yield
        return
    _current = state = InputState.take(inputs)
    sys.meta_path.insert(0, state)
    try:
        yield
        state.check()
    finally:
        sys.meta_path.remove(state)
        _current = None


def current_inputs() -> InputState | None:
    """Give the state that this process is held to."""
    return _current


def text_at_start(path: Path) -> str | None:
    """Give the text of params.yaml as a running stage found it; None for any other file."""
    return _current.texts[PARAMS] if _current and path == Path(PARAMS) else None


def check_inputs() -> None:
    """Compare the inputs of the stage that runs, if one does and they have not been just now.

    Raises:
        BadInput: what the stage depends on has changed.
    """
    global _checked
    if _current and time.monotonic() - _checked > _AGAIN:
        _current.check()
        _checked = time.monotonic()


def _refuse(changed: list[str]) -> None:
    if changed:
        names = ", ".join(changed[:_SHOWN])
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        raise BadInput(
            f"{names}{more} changed while the stage ran, so nothing is recorded; put it back, or "
            "leave it as it is now, and run `dvc repro` again (nothing paid is lost; once it is "
            "back, training and local answers go on where they were)"
        )


def _differences(key: str, before: Any, now: Any) -> Iterator[str]:
    """Name the settings at and below a key that are not the same."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for each in {**before, **now}:
            below = f"{key}.{each}" if key else str(each)
            yield from _differences(below, before.get(each), now.get(each))
    elif before != now:
        yield f"{PARAMS}: {key}"


def _parse(text: str, name: str) -> dict[str, Any]:
    from alpacare.core.settings import parse_yaml

    return parse_yaml(text, name) if text else {}


def settings_text(name: str) -> str:
    """Read a file of settings; empty where there is none."""
    path = Path(name)
    return path.read_text(encoding="utf-8-sig", errors="replace") if path.exists() else ""
