"""No key, and no data, gets into the container's image or into Git's history."""

import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
from conftest import REPOSITORY

KEY = "sk-" + "planted" * 5  # looks real to a scanner, and stands nowhere in this file
SECRETS = {
    "OpenAI": r"sk-([A-Za-z0-9]{32,}|(proj|ant|svcacct|or)-[A-Za-z0-9_-]{40,})",
    "Hugging Face": r"hf_[A-Za-z0-9]{30,}",
    "AWS": r"(AKIA|ASIA)[A-Z0-9]{16}",
    "Google": r"AIza[A-Za-z0-9_-]{35}",
    "GitHub": r"(gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{50,})",
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
}
SECRET = re.compile("|".join(SECRETS.values()))


def context(folder: Path) -> set[str]:
    """The files that `.dockerignore` lets into the build: it is a list of what may, after `*`."""
    rules = (folder / ".dockerignore").read_text().splitlines()
    first, *allowed = [rule for rule in rules if rule and not rule.startswith("#")]
    assert first == "*"
    assert all(rule.startswith("!") and "/" not in rule for rule in allowed)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in files if any(fnmatch(name, rule[1:]) for rule in allowed)}


def test_only_locks_can_get_into_the_image(workspace: Path) -> None:
    for name in (".dockerignore", "Dockerfile", "requirements.lock", "requirements-ray.lock"):
        shutil.copy(REPOSITORY / name, workspace / name)
    for name in (
        ".env",
        ".dvc/config.local",
        "data/seeds.jsonl",
        "models/checkpoint/w.safetensors",
    ):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(f"OPENAI_API_KEY={KEY}\n")
    assert context(workspace) == {"requirements.lock", "requirements-ray.lock"}
    copied = re.findall(r"^(?:COPY|ADD) (.*)", (workspace / "Dockerfile").read_text(), re.M)
    assert copied == ["requirements*.lock ./"]


def test_a_key_is_told_from_words() -> None:
    real = [KEY, "hf_" + "a" * 34, "AKIA" + "A" * 16, "-----BEGIN RSA " + "PRIVATE KEY-----"]
    assert all(map(SECRET.search, real))
    assert not SECRET.search("sk-of-no-one, sk-recognisable-7f3a9c51, hf_hub_download")


def test_no_key_was_ever_committed() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("no Git history here")
    log = subprocess.run(
        ["git", "log", "-p", "--all", "--no-color"], cwd=REPOSITORY, capture_output=True, check=True
    )
    assert not SECRET.search(log.stdout.decode(errors="replace"))


def test_no_key_can_be_in_the_images_settings() -> None:
    text = (REPOSITORY / "Dockerfile").read_text()
    names = re.findall(r"^ARG (\w+)", text, re.M) + re.findall(r"^(?:ENV|   ) (\w+)=", text, re.M)
    assert "BASE_IMAGE" in names
    assert "HOME" in names
    assert not [name for name in names if re.search("KEY|TOKEN|SECRET|PASS|PIP", name)]
