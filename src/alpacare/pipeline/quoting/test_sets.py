"""The test sets of params.yaml: their tasks, or how many there will be once they are fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from alpacare.datasets.catalogue import CATALOGUE, find_published
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.examples import EXAMPLE
from alpacare.records.rubric import RubricItem
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set

_CRITERION = "x" * 300  # bytes of a criterion that is not known yet


@dataclass(frozen=True)
class TestSets:
    """The tasks of each test set that is here, and how many rows the others have."""

    tasks: dict[str, list[TestTask]]
    absent: dict[str, int]  # 0: nobody knows

    @classmethod
    def read(cls, names: Sequence[str]) -> "TestSets":
        """Read those that are here."""
        files = {name: paths.test_set(name) for name in names}
        tasks = {name: read_test_set(path) for name, path in files.items() if path.exists()}
        absent = {}
        for name in names:
            if name not in tasks:
                published = find_published(name) if CATALOGUE.exists() else None
                absent[name] = published.rows if published and published.kind == "tests" else 0
        return cls(tasks, absent)

    @cached_property
    def longest(self) -> TestTask:
        """The longest task of all test sets that are here: an absent one's are taken to be so."""
        (folder,) = dependencies("filtered", "data/tests")
        tasks = [task for path in sorted(folder.glob("*.jsonl")) for task in read_test_set(path)]
        return max(tasks, key=lambda task: len(task.model_dump_json()), default=EXAMPLE)

    def graded(self, name: str) -> list[TestTask]:
        """Give the tasks with rubrics; of a set that is not here one, if the catalogue has them.

        It is as long as the longest, and has the mean number of criteria.
        """
        if name in self.tasks:
            return [task for task in self.tasks[name] if task.rubrics]
        published = find_published(name) if CATALOGUE.exists() else None
        if not (published and published.criteria):
            return []
        count = -(-published.criteria // published.rows)
        rubrics = [RubricItem(criterion=f"{n} {_CRITERION}", points=1) for n in range(count)]
        return [self.longest.model_copy(update={"rubrics": rubrics})]

    def note(self, stage: str) -> str:
        """Say which test sets are not here, and how they count."""
        counted = {name: rows for name, rows in self.absent.items() if rows}
        parts = [f"{name} by the {rows:,} rows of {CATALOGUE}" for name, rows in counted.items()]
        parts += [f"{name} not at all" for name in self.absent if name not in counted]
        return f"{stage}: test sets that are not here count: {', '.join(parts)}" if parts else ""
