"""The rooms of src/alpacare: no import upwards, nothing outside, and what each one exports."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from conftest import REPOSITORY

SOURCE = REPOSITORY / "src/alpacare"
PAGE = (REPOSITORY / "docs/architecture.md").read_text()
TABLE = PAGE.split("## Rooms")[1].split("\n## ")[0]
ORDER = re.findall(r"^\| `(\w+)/` \|", TABLE, re.MULTILINE)  # top floor first
LONGEST_FILE, LONGEST_FUNCTION = 250, 60


def imported_rooms(path: Path) -> set[str]:
    """The rooms that a module imports from, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        parts = [name.split(".") for name in names if name.startswith("alpacare.")]
        found |= {part[1] for part in parts}
    return found


def test_every_module_is_in_a_room_of_the_table() -> None:
    assert {path.name for path in SOURCE.glob("*.py")} == {"__init__.py", "__main__.py"}
    folders = {path.parent.relative_to(SOURCE).parts[0] for path in SOURCE.glob("*/**/*.py")}
    assert sorted(ORDER) == sorted(folders)


@pytest.mark.parametrize("room", ORDER)
def test_no_room_imports_from_one_above_it(room: str) -> None:
    allowed = set(ORDER[ORDER.index(room) :])
    for path in (SOURCE / room).rglob("*.py"):
        above = imported_rooms(path) - allowed
        assert not above, f"{path.relative_to(SOURCE)} imports from {sorted(above)}"


@pytest.mark.parametrize("room", ORDER)
def test_a_room_says_what_it_is_for_and_exports_its_names(room: str) -> None:
    package = importlib.import_module(f"alpacare.{room}")
    assert package.__doc__
    assert len(package.__doc__) > 40
    if room not in {"cli", "stages"}:  # commands, which are run by name
        assert package.__all__
        for name in package.__all__:
            assert getattr(package, name) is not None
        with pytest.raises(AttributeError, match="no_such_name"):
            package.no_such_name  # noqa: B018


def test_files_and_functions_are_short() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= LONGEST_FILE, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                assert lines <= LONGEST_FUNCTION, f"{path}: {node.name} has {lines} lines"
