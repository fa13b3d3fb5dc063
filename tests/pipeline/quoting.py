"""A quote as a user reads it: what `alpacare quote` prints."""

import re
from dataclasses import dataclass

from conftest import run

from alpacare.cli.main import main


@dataclass(frozen=True)
class Quoted:
    """The last lines of a quote, in dollars; `likely` is None where no such price is printed."""

    text: str
    likely: float | None
    most: float

    def stage(self, name: str) -> list[str]:
        """The figures of a stage's line."""
        (line,) = re.findall(rf"^{name} .*$", self.text, re.MULTILINE)
        return re.split("  +", line)[1:]


def quoted() -> Quoted:
    """Quote the project in the current folder."""
    result = run(main, "quote")
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    if "the pipeline costs nothing" in text:
        return Quoted(result.output, 0.0, 0.0)
    found = re.search(r"(?:Likely \$([\d,.]+\d) .*?)?[aA]t most \$([\d,.]+\d)\. ", text)
    assert found, result.output
    likely, most = (
        None if each is None else float(each.replace(",", "")) for each in found.groups()
    )
    assert most is not None
    return Quoted(result.output, likely, most)
