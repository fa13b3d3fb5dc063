"""Licences: the user chooses one; the sources' licences limit the choice."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.pipeline.params import SourcesSettings

OTHER = "other"
# SPDX's name, and the Hub's
_KNOWN = {
    "Apache-2.0": "apache-2.0",
    "MIT": "mit",
    "BSD-3-Clause": "bsd-3-clause",
    "CC0-1.0": "cc0-1.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
    "CC-BY-NC-ND-4.0": "cc-by-nc-nd-4.0",
    "ODC-By-1.0": "odc-by",
    "GPL-3.0-only": "gpl-3.0",
    "AGPL-3.0-only": "agpl-3.0",
}
_ALPACARE = ("medinstruct-52k", "alpacare-seeds")  # published under CC BY-NC 4.0


@dataclass(frozen=True)
class Licence:
    """`name` in SPDX, `hub` on the Hub, `conditions` beside it; `text` if it is in neither."""

    name: str
    hub: str
    conditions: Sequence[str]
    text: str | None = None


def source_file(sources: SourcesSettings) -> str:
    """Give the file under data/ that the pipeline starts from, without its ending."""
    if sources.answers != "responses":
        return sources.answers
    return sources.instructions if sources.instructions != "instructions" else sources.seeds


def _conditions(sources: SourcesSettings, models: Iterable[str], base: str | None) -> list[str]:
    """List what limits the choice: who answered, what was imported, the base model."""
    lines = [f"answers by {', '.join(models) or 'nobody'}: the terms of whoever serves the model"]
    source = source_file(sources)
    if _is_alpacare(source):
        lines.append(f"data/{source}, AlpaCare's: CC BY-NC 4.0, so no commercial use")
    elif source.startswith("imported/"):
        lines.append(f"data/{source}: its own licence")
    if base is not None:
        lines.append(f"weights that start from {base}: its licence")
    return lines


def choose_licence(
    name: str | None,
    text: Path | None,
    sources: SourcesSettings,
    models: Iterable[str],
    base: str | None,
) -> Licence:
    """Give the licence of that name.

    Raises:
        BadInput: no name, an unknown one, a licence that allows more than the data's, or `other`
            without a text.
    """
    conditions = _conditions(sources, models, base)
    if name is None:
        known = "|".join([*_KNOWN, OTHER])
        raise BadInput(f"choose a licence: --licence {known}; conditions: {'; '.join(conditions)}")
    if name == OTHER:
        return _other(text, conditions)
    spdx = {known.lower(): known for known in _KNOWN}.get(name.lower())
    if spdx is None:
        raise BadInput(
            f"'{name}' is not among the licences known here: {', '.join(_KNOWN)}; or say {OTHER} "
            "and give its text with --licence-text"
        )
    source = source_file(sources)
    if _is_alpacare(source) and "-NC" not in spdx:
        raise BadInput(
            f"{spdx} allows more than data/{source} does, which is under CC BY-NC 4.0; choose "
            "CC-BY-NC-4.0"
        )
    return Licence(spdx, _KNOWN[spdx], conditions)


def _other(text: Path | None, conditions: Sequence[str]) -> Licence:
    content = read_text(text) if text else ""
    if not content.strip():
        raise BadInput(f"licence '{OTHER}' needs its text: --licence-text FILE")
    return Licence(OTHER, OTHER, conditions, content)


def _is_alpacare(source: str) -> bool:
    return source.rpartition("/")[2].startswith(_ALPACARE)
