"""Files by size, time and content: whether one is still what it was."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import translate
from pathlib import Path
from typing import NamedTuple

_LARGE = 64 << 20  # bytes; of a larger file, as weights are, only size and time are compared


class Stamp(NamedTuple):
    """Size, time of the last change in nanoseconds, and the content's hash if it is not large."""

    size: int
    changed: int
    digest: str | None = None

    def is_of(self, status: os.stat_result) -> bool:
        """Whether a file has not been touched since."""
        return (self.size, self.changed) == (status.st_size, status.st_mtime_ns)


def ignored_names(text: str) -> re.Pattern[str]:
    """Give the names that DVC leaves out of a folder, by the text of .dvcignore."""
    lines = [line.strip() for line in text.splitlines()]
    names = [line.lstrip("\\") for line in lines if line and not line.startswith("#")]
    return re.compile("|".join(map(translate, names)) or r"\b\B")


def walk(root: str, ignored: re.Pattern[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Give each file of a folder, or the file itself, as DVC counts them."""
    if not Path(root).is_dir():
        with suppress(FileNotFoundError):
            yield root, Path(root).stat()
        return
    with os.scandir(root) as entries:
        for entry in entries:
            if ignored.match(entry.name):
                continue
            if entry.is_dir():
                yield from walk(entry.path, ignored)
            else:
                with suppress(FileNotFoundError):  # a link to nothing, or gone this very moment
                    yield entry.path, entry.stat()


def is_same(name: str, held: Stamp) -> bool:
    """Whether a file is there with the same content, touched or not."""
    try:
        status = Path(name).stat()
    except FileNotFoundError:
        return False
    return held.is_of(status) or (
        held.digest is not None and held.digest == make_stamp(name, status).digest
    )


def make_stamp(name: str, status: os.stat_result) -> Stamp:
    """Take a file's stamp."""
    from hashlib import sha256

    size, changed = status.st_size, status.st_mtime_ns
    if size > _LARGE:
        return Stamp(size, changed)
    with Path(name).open("rb", buffering=0) as file:
        return Stamp(size, changed, sha256(file.read()).hexdigest())
