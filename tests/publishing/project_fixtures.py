"""Fixtures for tests that publish: a small project, made once and copied for each."""

import shutil
from pathlib import Path

import pytest
from small_project import build, environment


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes some seconds; tests get copies."""
    folder = tmp_path_factory.mktemp("small") / "project"
    build(folder)
    return folder


@pytest.fixture
def project(made_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a finished project with nothing uncommitted."""
    folder = tmp_path / "project"
    shutil.copytree(made_once, folder)
    monkeypatch.chdir(folder)
    for name, value in environment(folder).items():
        monkeypatch.setenv(name, value)
    return folder
