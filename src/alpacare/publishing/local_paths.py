"""Finds folders of this machine in what is to be published: they name people and projects."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import open_text
from alpacare.publishing.checkpoint_files import is_text
from alpacare.publishing.package import Package

_HOMES = re.compile(r"(?<![\w.:-])/(?:home|Users)/\w[\w.-]*|[A-Za-z]:\\{1,2}Users\\{1,2}\w")
_VOCABULARY = {"tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json"}


def refuse_local_paths(package: Package, folders: Iterable[Path]) -> None:
    """Search a package's texts for these folders, and the files beside weights for any home folder.

    Rows may speak of /home/somebody: they are searched for `folders` only.

    Raises:
        BadInput: one is there; the message says where.
    """
    ours = _find_any(folders)
    for name, content in package.files.items():
        if not is_text(Path(name)):
            continue
        any_home = package.kind == "model" and Path(name).name not in _VOCABULARY
        for number, line in enumerate(_lines(content), start=1):
            found = ours.search(line) or (any_home and _HOMES.search(line))
            if found:
                place = f"{content}:{number}" if isinstance(content, Path) else f"{name}:{number}"
                raise BadInput(
                    f"{place}: holds '{found[0]}', a folder on somebody's machine; remove it at "
                    "its source (what earlier versions trained: `dvc repro checkpoint`)"
                )


def _find_any(folders: Iterable[Path]) -> re.Pattern[str]:
    """Match these folders and what is in them, also as JSON writes them."""
    forms = set()
    for folder in folders:
        if folder == Path(folder.anchor):  # "/" is in every address
            continue
        end = "/" if len(folder.parts) < 3 else r"(?![\w.-])"  # "scaling and/or /root planing"
        for name in map(re.escape, (str(folder), json.dumps(str(folder))[1:-1])):
            forms.add(rf"{name}(?<![\w.-]{name}){end}")  # the name first: quick to search for
    return re.compile("|".join(sorted(forms)) or r"\b\B")  # the latter matches nothing


def _lines(content: bytes | Path) -> Iterator[str]:
    if isinstance(content, bytes):
        yield from content.decode().split("\n")
        return
    with open_text(content) as file:
        yield from file
