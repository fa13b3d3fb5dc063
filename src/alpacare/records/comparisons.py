"""Sections `models` and `judgments` of params.yaml: whose answers are compared, and by whom."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from alpacare.core.names import Names, Slug, Slugs, refuse_repeated
from alpacare.core.settings import Settings


class ModelsSettings(Settings):
    """Section `models`: models with answers in test sets, models to ask, models that run here.

    Each of them can be a contestant, a reference, or both.
    """

    renamed: ClassVar[Mapping[str, str]] = {"asked": "api"}
    written: Names
    api: Names
    local: Names

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_repeated(self.names)
        return self

    @property
    def names(self) -> list[str]:
        """Every model, those that run on this machine last."""
        return [*self.written, *self.api, *self.local]


class JudgmentsSettings(Settings):
    """Section `judgments`: who competes beside the students, against whom, before which judges.

    `rubric_judges` grade each answer of students and contestants alone, by its item's rubrics.
    """

    contestants: Names
    references: Slugs
    head_to_head: Slug
    judges: Names
    local_judges: Names
    rubric_judges: Names = Field(default=[])  # settings of earlier commits have none

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if not self.all_judges:
            raise ValueError("judges: name one at least, or one of local_judges")
        refuse_repeated([*self.all_judges, *self.rubric_judges])
        return self

    @model_validator(mode="after")
    def _opposed(self) -> Self:
        for name in self.contestants:
            if not self.references_of(name):
                raise ValueError(f"contestants: '{name}' has no reference other than itself")
        return self

    @property
    def all_judges(self) -> list[str]:
        """Every judge that compares, those that run on this machine last."""
        return [*self.judges, *self.local_judges]

    @property
    def averaged(self) -> list[str]:
        """The references that a mean win rate is over: those that do not compete themselves."""
        return [name for name in self.references if name not in self.contestants] or self.references

    def references_of(self, contestant: str) -> list[str]:
        """With whom another model than a student is compared: never with itself."""
        return [name for name in self.references if name != contestant]

    def references_of_student(self, student: str) -> list[str]:
        """With whom a student is compared: also with the student that is named head to head."""
        other = [self.head_to_head] if self.head_to_head != student else []
        return [*self.references, *other]
