"""Words that a reader from another country would not understand occur nowhere."""

import re
from pathlib import Path

import pytest
from conftest import REPOSITORY

PLACES = ("src", "docs", "students", "presets", "configs", "tools", "README.md", "CONTRIBUTING.md",
          "SECURITY.md", "CHANGELOG.md", "params.yaml", "dvc.yaml", "prices.yaml", "mkdocs.yml",
          "Makefile")  # fmt: skip
KINDS = {".py", ".md", ".html", ".js", ".css", ".yaml", ".yml", ".txt", ""}
# what prompts say is sent to models, whose recorded answers belong to the very text
SETTINGS = "prompts/*/*/settings.yaml"
WORDS = (
    r"purses?|sie(?:ves?|ved|ving)|upkeep|tall(?:y|ies|ied|ying)|decks?|smoke detectors?"
    r"|put(?:s|ting)? in force|(?:stands?|stood|standing)[ -]in|stand-ins?"
)


def texts() -> list[Path]:
    found = [REPOSITORY / place for place in PLACES]
    files = [file for path in found for file in ([path] if path.is_file() else path.rglob("*"))]
    readable = [path for path in files if path.is_file() and path.suffix in KINDS]
    return [*readable, *REPOSITORY.glob(SETTINGS)]


def private_words(text: str) -> list[str]:
    """Find them, also across line breaks in comments."""
    plain = re.sub(r"\s*\n\s*(?:#|\*|//)?\s*", " ", text)
    return re.findall(rf"\b(?:{WORDS})\b", plain, re.IGNORECASE)


def test_no_private_word_is_used() -> None:
    found = {str(path.relative_to(REPOSITORY)): private_words(path.read_text()) for path in texts()}
    assert {path: words for path, words in found.items() if words} == {}
    assert len(found) > 200


@pytest.mark.parametrize(
    "text", ["The purse", "a\n  # sieve", "It stands\nin for", "TALLIED", "decks"]
)
def test_a_private_word_is_found(text: str) -> None:
    assert len(private_words(text)) == 1
    assert private_words("It understands inputs, is totally decked out, and stands") == []
