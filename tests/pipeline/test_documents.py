"""The commands of docs/, typed block by block in a clone whose pipeline takes seconds.

Those that ask a server: test_asking_documents.py; rubrics are graded in test_graded_study.py.
"""

import pytest
from clones import Clone, clone_for_pages

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return clone_for_pages(tmp_path_factory, "documents")


@pytest.mark.parametrize(
    "page",
    [
        "agreement",
        "benchmark-data",
        "benchmarks",
        "change-something",
        "compare",
        "compare-commits",
        "dataset",
        "doctor",
        "examples",
        "filter-instructions",
        "generate",
        "models",
        "own-data",
        "own-seeds",
        "paper-table",
        "publish",
        "report",
        "review",
        "rubrics",
        "scores",
        "students",
        "sweep",
        "test-sets",
        "train",
    ],
)
def test_the_commands_of_the_documents_work(clone: Clone, page: str) -> None:
    clone.run_page(page)
