"""configs/datasets.yaml: published data by name, where it is, and what must come."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.names import Slug
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.datasets.downloads import check_address

CATALOGUE = Path("configs/datasets.yaml")
_SLUG = TypeAdapter(Slug)
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]


class PublishedSet(Settings):
    """One data set; `files` are "[WHO=]ADDRESS" and the SHA-256, null where none is known.

    `model` is who wrote the answers of responses.
    """

    kind: Literal["tests", "responses", "seeds"]
    rows: int = Field(gt=0)
    licence: str
    model: str | None = None
    files: dict[str, Sha256 | None] = Field(min_length=1)

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        for name, sha256 in self.files.items():
            check_address(split_who(name)[1], sha256)
        if (self.kind == "responses") != (self.model is not None):
            raise ValueError("'model' says who wrote responses, and stands with those alone")
        if self.kind != "tests" and len(self.files) > 1:
            raise ValueError("only test sets come in several files")
        return self


def find_published(name: str) -> PublishedSet | None:
    """Look a data set up by its name."""
    known = read_yaml(CATALOGUE)
    return check(known[name], PublishedSet, f"{CATALOGUE}: {name}.") if name in known else None


def check_name(name: str) -> str:
    """See that a name can be a file's and a stage's.

    Raises:
        BadInput: it cannot.
    """
    try:
        return _SLUG.validate_python(name)
    except ValidationError:
        raise BadInput(
            f"'{name}' is no name: letters, digits, '.', '_' and '-', a letter or digit first"
        ) from None


def split_who(text: str) -> tuple[str | None, str]:
    """Part "gpt-4=answers.json"; a path with a "=" behind a "/" stays whole."""
    who, sign, rest = text.partition("=")
    return (check_name(who), rest) if sign and re.search("[/@]", who) is None else (None, text)
