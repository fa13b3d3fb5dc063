"""What mkdocs adds to docs/: the API page, made from the docstrings that `src/alpacare` exports.

The source is read, not imported, so no torch is loaded. mkdocs calls the functions named `on_...`.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SOURCE = Path(__file__).parents[1] / "src/alpacare"
INTRODUCTION = """# API: public names of each folder in src/alpacare

What a folder (a "room", see [architecture](architecture.md)) offers to the others. For results in
a notebook six functions are enough: [notebook](notebook.md).
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave out pages of `nav` that are not in docs/."""
    there = {path.name for path in Path(config.docs_dir).glob("*.md")} | {"api.md"}

    def keep(entries: list[Any]) -> list[Any]:
        return [kept for entry in entries if (kept := kept_entry(entry))]

    def kept_entry(entry: Any) -> Any:
        if isinstance(entry, str):
            return entry if entry in there else None
        ((title, value),) = entry.items()
        kept = keep(value) if isinstance(value, list) else kept_entry(value)
        return {title: kept} if kept else None

    config.nav = keep(config.nav or [])
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the API page."""
    files.append(File.generated(config, "api.md", content=api_page()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Leave only the words of links to files outside docs/, which are not part of the site."""
    return re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", markdown)


def api_page() -> str:
    """Write all public names with signature and docstring, folder by folder."""
    packages = sorted(SOURCE.rglob("__init__.py"), key=lambda path: (path.parent != SOURCE, path))
    return "\n".join([INTRODUCTION, *(text for path in packages if (text := package_part(path)))])


def package_part(path: Path) -> str:
    """Write a package's part of the page; empty if it exports nothing."""
    tree = ast.parse(path.read_text())
    parts = [
        name_part(path.parent / (module.replace(".", "/") + ".py"), name)
        for module, names in exported(tree)
        for name in names.split()
    ]
    if not parts:
        return ""
    dotted = ".".join(path.parent.relative_to(SOURCE.parent).parts)
    return "\n".join([f"## {dotted}\n", prose(ast.get_docstring(tree)), *sorted(parts)])


def exported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give module and names of each argument of `exports(...)`."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "exports":
            for word in call.keywords:
                found = ast.literal_eval(word.value)
                yield from found.items() if word.arg is None else [(word.arg, found)]


def name_part(module: Path, name: str) -> str:
    """Write one name: its heading, signature and docstring."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            signature = f"{name}({ast.unparse(node.args)}){returns}"
            return part(name, signature, ast.get_docstring(node))
        if isinstance(node, ast.ClassDef) and node.name == name:
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            return part(name, f"class {name}({bases})", ast.get_docstring(node))
    return part(name, f"{name}  # in {module.name}", None)


def part(name: str, signature: str, docstring: str | None) -> str:
    return f"### {name}\n\n```python\n{signature}\n```\n\n{prose(docstring)}"


def prose(docstring: str | None) -> str:
    """Show a docstring as it is written: its line breaks and indents say something."""
    return f"```text\n{inspect.cleandoc(docstring)}\n```\n" if docstring else ""
