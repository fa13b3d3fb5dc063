"""Reading with one clear line on failure; writing whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from alpacare.core.errors import BadInput
from alpacare.core.input_state import check_inputs, current_inputs


@contextmanager
def open_text(path: Path, newline: str | None = None) -> Iterator[IO[str]]:
    """Open a UTF-8 file for reading, with or without a byte order mark; `newline` as of `open`.

    Raises:
        BadInput: no such file, or (while it is read) other bytes than UTF-8; an input of the stage
            that runs, and no longer what it was when the stage began.
    """
    try:
        with path.open(encoding="utf-8-sig", newline=newline) as file:
            yield file
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 text ({error.reason}); save it as UTF-8") from error
    if state := current_inputs():
        state.check_file(path)


def read_text(path: Path) -> str:
    """Read a whole UTF-8 file; errors as `open_text`."""
    with open_text(path) as file:
        return file.read()


def parse_json(text: str, place: str) -> Any:
    """Parse one JSON document; `place` (file, or file and line) opens the error.

    Raises:
        BadInput: as `parse_any_json`, or text that cannot be written again.
    """
    value = parse_any_json(text, place)
    try:
        if "\\ud" in text.lower():  # an escape may be half of a character, say of an emoji
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"{place}: half of a character ({error.reason}); mend the text") from error
    return value


def parse_any_json(text: str, place: str) -> Any:
    """Parse one JSON document, in whose texts there may be half of an emoji.

    Raises:
        BadInput: not JSON, or nested too deeply.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, " if "\n" in text.strip() else ""
        raise BadInput(
            f"{place}: not valid JSON ({error.msg.lower()}, {where}column {error.colno}); "
            "is it cut off? mend it or delete it"
        ) from error
    except RecursionError as error:
        raise BadInput(f"{place}: not valid JSON (nested too deeply)") from error
    except ValueError as error:  # Python's limit on the digits of a whole number
        raise BadInput(f"{place}: a number of more than 4,300 digits; mend it") from error


def read_json(path: Path) -> Any:
    """Read one JSON document; errors as `read_text` and `parse_json`."""
    return parse_json(read_text(path), str(path))


@contextmanager
def atomic_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file that appears under its name only when the block ends well.

    Temporary file in the same folder, fsync, rename: a reader, a crash or a full disk sees
    either the old file or the new one. The umask decides who may read it, as for any new file.
    """
    if path.is_dir():
        raise BadInput(f"{path}: is a folder; name a file to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _new_name(path)  # tempfile's own files are 0600, whatever the umask
    try:
        with fresh.open("x", encoding="utf-8", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        check_inputs()
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder that replaces `path` when the block ends well.

    The old folder is moved aside, and deleted only when the new one has replaced it.
    """
    if path.is_file():
        raise BadInput(f"{path}: is a file; name a folder to write")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = _new_name(path)
    fresh.mkdir()
    old = fresh.with_name(fresh.name + ".old")
    try:
        yield fresh
        settle(fresh)
        check_inputs()
        if path.exists():
            path.replace(old)
        fresh.replace(path)
    except BaseException:
        if old.exists() and not path.exists():
            old.replace(path)
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _new_name(path: Path) -> Path:
    """Give a name that nothing has, in the same folder."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}")


def settle(folder: Path) -> None:
    """Give each file in a new folder the mode that the umask allows, and have the disk hold it."""
    mode = folder.stat().st_mode & 0o666
    for file in (path for path in folder.rglob("*") if path.is_file()):
        file.chmod(mode)  # safetensors writes 0600
        sync(file)


def sync(path: Path) -> None:
    """Have the disk hold a file's bytes."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document, indented so that a Git diff of it can be read."""
    with atomic_file(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False, allow_nan=False)
        file.write("\n")
