"""A checkpoint's files, unchanged; files that could run code when they are loaded are refused."""

from pathlib import Path

from alpacare.core.errors import BadInput

WEIGHTS = ".safetensors"
_TEXT = (".json", ".jsonl", ".txt", ".md", ".jinja")
_SAFE = (WEIGHTS, *_TEXT, ".model")  # the last: SentencePiece's vocabulary, which is not a pickle


def checkpoint_files(folder: Path) -> dict[str, Path]:
    """Give a checkpoint's files by their names in it.

    Raises:
        BadInput: a pickle, a program or another file that is not data, or no weights.
    """
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    for path in files.values():
        _check(path)
    if not any(path.suffix == WEIGHTS for path in files.values()):
        raise BadInput(f"{folder}: no {WEIGHTS} in it; run `dvc repro checkpoint`")
    return files


def is_text(path: Path) -> bool:
    """Return whether a file is text."""
    return path.suffix in _TEXT


def _check(path: Path) -> None:
    if path.suffix not in _SAFE:
        raise BadInput(
            f"{path}: is neither safetensors nor text; pickles and programs run code where they "
            "are loaded, so convert it, or remove it"
        )
    if path.suffix != WEIGHTS:
        return
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"):  # reads the header only
            pass
    except SafetensorError as error:
        raise BadInput(f"{path}: is not a safetensors file ({error}); convert it") from error
