"""configs/datasets.yaml, the catalogue of published datasets: addresses, hashes, row counts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from alpacare.core.errors import BadInput
from alpacare.core.files import atomic_file, read_text
from alpacare.core.names import Slug
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.datasets.addresses import check_address, refuse_secrets

CATALOGUE = Path("configs/datasets.yaml")
_SLUG = TypeAdapter(Slug)
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class PublishedDataset(Settings):
    """One dataset; `files` are "[WHO=]ADDRESS" and the SHA-256, null where none is known.

    `model` wrote the answers of responses; `criteria`: how many the rubrics of all rows have. Of a
    benchmark, `columns` gives their column for our field, and rows of `without_subjects` are none
    of its items; WHO is the subject of a file's items, or `only`: the file lists the ids of the
    rows that belong to it.
    """

    files: dict[str, Sha256 | None] = Field(min_length=1)  # first: its errors tell most
    kind: Literal["tests", "responses", "seeds", "benchmark", "labels"]
    rows: int = Field(gt=0)
    criteria: int | None = Field(default=None, gt=0)
    licence: str
    model: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    without_subjects: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _without_secrets(cls, values: Any) -> Any:
        # first, and wherever an address is: errors in other checks show it
        for text in _texts(values):
            if "://" in text:
                refuse_secrets(text)
        return values

    @field_validator("files", mode="before")
    @classmethod
    def _mapping(cls, files: Any) -> Any:
        if not isinstance(files, dict) or not all(isinstance(name, str) for name in files):
            raise ValueError(
                'expected a mapping, "ADDRESS: SHA-256" or "ADDRESS: null" on each line'
            )
        return files

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        for name, sha256 in self.files.items():
            check_address(split_answerer(name)[1], sha256)
        if (self.kind == "responses") != (self.model is not None):
            raise ValueError("'model' says who wrote responses, and belongs to those only")
        if self.kind not in ("tests", "benchmark") and len(self.files) > 1:
            raise ValueError("only test sets and benchmarks come in several files")
        if self.kind != "benchmark" and (self.columns or self.without_subjects):
            raise ValueError("'columns' and 'without_subjects' belong to benchmarks only")
        return self


def _texts(values: Any) -> Iterator[str]:
    """Give every key and value at any depth, whole: a password may have quotes."""
    if isinstance(values, dict):
        values = [*values, *values.values()]
    if isinstance(values, list):
        for each in values:
            yield from _texts(each)
    else:
        yield str(values)


def find_published(name: str) -> PublishedDataset | None:
    """Look up a dataset by its name.

    Raises:
        BadInput: a name that cannot be one of a file, or an entry that does not fit.
    """
    known = read_yaml(CATALOGUE)
    check_name(name)
    return check(known[name], PublishedDataset, f"{CATALOGUE}: {name}.") if name in known else None


def write_down(key: str, value: str, after: str = "") -> None:
    """Put what came into the catalogue where it says null: a file's SHA-256, a commit.

    `after`: the dataset whose `key` is meant; an address is in the file once. What is written in
    another form than a line "KEY: null" stays.
    """
    text = read_text(CATALOGUE)
    start = re.search(rf"^{re.escape(after)}:$", text, re.MULTILINE) if after else None
    head = text[: start.end()] if start else ""
    rest = text[len(head) :]
    new = rest.replace(f"{key}: null\n", f'{key}: "{value}"\n', 1)  # digits only are a number
    if new != rest:
        with atomic_file(CATALOGUE) as file:
            file.write(head + new)


def check_name(name: str, way_out: str = "") -> str:
    """Check that a name can be used for files and stages; `way_out` says what to do if it cannot.

    Raises:
        BadInput: it cannot.
    """
    try:
        return _SLUG.validate_python(name)
    except ValidationError:
        raise BadInput(
            f"'{name}' is not a valid name: use letters, digits, '.', '_' and '-'; begin with a "
            f"letter or digit{way_out}"
        ) from None


def split_answerer(text: str) -> tuple[str | None, str]:
    """Split "gpt-4=answers.json" at its "="; a "=" after a "/" belongs to the path."""
    name, sign, rest = text.partition("=")
    return (check_name(name), rest) if sign and re.search("[/@]", name) is None else (None, text)
