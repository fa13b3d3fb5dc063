"""Sections `references` and `judgments` of params.yaml: whose answers are compared, and by whom."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import model_validator

from alpacare.core.names import Names, Slugs, refuse_repeated
from alpacare.core.settings import Settings

BASE = "base"  # the student before training: a reference that needs no answers of others


class ReferencesSettings(Settings):
    """Section `references`: whose answers stand in test sets, who is asked, who runs here."""

    renamed: ClassVar[Mapping[str, str]] = {"asked": "api"}
    written: Names
    api: Names
    local: Names

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_repeated([*self.written, *self.api, *self.local, BASE])
        return self


class JudgmentsSettings(Settings):
    """Section `judgments`: with whom the student is compared, and by which judges."""

    references: Slugs
    judges: Names
    local_judges: Names

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if not self.all_judges:
            raise ValueError("judges: name one at least, or one of local_judges")
        refuse_repeated(self.all_judges)
        return self

    @property
    def all_judges(self) -> list[str]:
        """Every judge, those that run on this machine last."""
        return [*self.judges, *self.local_judges]
