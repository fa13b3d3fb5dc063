"""Licences: the user chooses; what the data came with binds, and may refuse the choice."""

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
    """`name` as SPDX has it, `hub` as the Hub; `text` only for those that have neither."""

    name: str
    hub: str
    text: str | None = None

    def front_matter(self) -> list[str]:
        """Give the lines for the head of a card."""
        if self.text is None:
            return [f"license: {self.hub}"]
        return [f"license: {self.hub}", "license_name: see-license", "license_link: LICENSE"]

    def link(self) -> str:
        """Name it in Markdown."""
        if self.text is None:
            return f"[{self.name}](https://spdx.org/licenses/{self.name}.html)"
        return "the licence in [LICENSE](LICENSE)"


def in_use(sources: SourcesSettings) -> str:
    """Give the file under data/ that the pipeline starts from, without its ending."""
    if sources.responses != "responses":
        return sources.responses
    return sources.instructions if sources.instructions != "instructions" else sources.seeds


def what_binds(sources: SourcesSettings, teachers: Iterable[str], base: str | None) -> list[str]:
    """Say what limits the choice: who answered, what was brought in, where the weights start."""
    lines = [f"answers by {', '.join(teachers) or 'nobody'}: the terms of whoever serves the model"]
    source = in_use(sources)
    if _is_alpacare(source):
        lines.append(f"data/{source}, AlpaCare's: CC BY-NC 4.0, so nothing commercial")
    elif source.startswith("imported/"):
        lines.append(f"data/{source}: the licence that it came with")
    if base is not None:
        lines.append(f"weights that start from {base}: its licence")
    return lines


def choose(
    name: str | None, text: Path | None, binds: Sequence[str], sources: SourcesSettings
) -> Licence:
    """Give the licence of that name.

    Raises:
        BadInput: none is named, an unknown one, one more liberal than the data allows, or `other`
            without a text.
    """
    if name is None:
        known = "|".join([*_KNOWN, OTHER])
        raise BadInput(f"choose a licence: --licence {known}; what binds: {'; '.join(binds)}")
    if name == OTHER:
        return _other(text)
    spdx = {known.lower(): known for known in _KNOWN}.get(name.lower())
    if spdx is None:
        raise BadInput(
            f"'{name}' is not among the licences known here: {', '.join(_KNOWN)}; or say {OTHER} "
            "and give its text with --licence-text"
        )
    source = in_use(sources)
    if _is_alpacare(source) and "-NC" not in spdx:
        raise BadInput(
            f"{spdx} allows more than data/{source} does, which came under CC BY-NC 4.0; choose "
            "CC-BY-NC-4.0"
        )
    return Licence(spdx, _KNOWN[spdx])


def _other(text: Path | None) -> Licence:
    content = read_text(text) if text else ""
    if not content.strip():
        raise BadInput(f"licence '{OTHER}' needs its text: --licence-text FILE")
    return Licence(OTHER, OTHER, content)


def _is_alpacare(source: str) -> bool:
    return source.rpartition("/")[2].startswith(_ALPACARE)
