"""Which of the project's own files a stage really uses: the closure of its imports."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src"


def module_file(name: str) -> Path | None:
    """The file of a module of ours (never a package), else None."""
    path = SOURCE / Path(*name.split(".")).with_suffix(".py")
    return path if path.exists() else None


def imports(path: Path) -> set[Path]:
    """Our modules that a file imports, at its top or inside functions, by any spelling."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found |= {file for name in names if (file := module_file(name))}
    return found


def closure(module: str) -> set[str]:
    """Every file that running a module can load, as paths from the repository's top."""
    start = module_file(module)
    assert start, f"no module {module}"
    todo, seen = {start}, set()
    while todo:
        path = todo.pop()
        seen.add(path)
        todo |= imports(path) - seen
    return {path.relative_to(SOURCE.parent).as_posix() for path in seen}


def rooms(module: str) -> set[str]:
    """What a stage must depend on: its script, and the folders of the modules it can load."""
    return {
        path if path.startswith("src/alpacare/stages/") else "/".join(path.split("/")[:3])
        for path in closure(module)
    }
