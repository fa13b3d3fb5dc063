"""The files that people and machines look for at the top of a repository."""

import re
import tomllib

import pytest
from conftest import REPOSITORY

from alpacare.core.settings import read_yaml

VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


def test_the_citation_and_the_newest_changes_are_of_this_version() -> None:
    citation = read_yaml(REPOSITORY / "CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == VERSION
    versions = re.findall(r"^## (\S+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == VERSION


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_pages_and_targets_that_are_named_are_there(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (REPOSITORY / link).exists(), link
    for path in re.findall(r"^    pytest (\S+)", text, re.MULTILINE):
        assert (REPOSITORY / path).exists(), path
    targets = re.findall(r"^([a-z-]+)(?= [a-z -]*:|:)", (REPOSITORY / "Makefile").read_text(), re.M)
    for line in re.findall(r"^    make ([a-z ]+?)(?:\s+#.*)?$", text, re.MULTILINE):
        assert set(line.split()) <= set(targets), line
