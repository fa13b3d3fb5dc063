"""CSV: texts that a spreadsheet would run are shown, numbers stay numbers, all comes back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.core.csv_files import cell_text, write_csv
from alpacare.report.tables import read_table

OUT = Path("out.csv")


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://x","y")', "+1 (555) 010", "-cmd|x", "@SUM(A1)", "\t=1", "\r=1"]
)
def test_a_cell_that_is_a_formula_is_written_as_text(workspace: Path, text: str) -> None:
    write_csv(OUT, [("text",), (text,), (f"'{text}",), (f"a {text}",)])
    cells = OUT.read_bytes().decode().replace('"', "").split("\n")
    assert cells[1].startswith("'")
    assert cells[3].startswith("a ")
    assert read_table(OUT, {"text": str}) == [(text,), (f"'{text}",), (f"a {text}",)]


def test_numbers_stay_numbers(workspace: Path) -> None:
    write_csv(OUT, [("n", "s"), (-0.5, "-0.5"), (-2, "+1e-5")])
    assert OUT.read_text() == "n,s\n-0.5,-0.5\n-2,+1e-5\n"


@given(st.lists(st.text(st.sampled_from("'=+-@\t\r\n1a,\" \uff1d"), max_size=5), min_size=1))
def test_every_text_comes_back(texts: list[str]) -> None:
    write_csv(OUT, [("text",), *((f"{text}.",) for text in texts)])
    assert [row for (row,) in read_table(OUT, {"text": str})] == [f"{text}." for text in texts]


@pytest.mark.parametrize("text", ["'", "''", "'s", "", "5' 3", "'-5"])
def test_an_apostrophe_alone_is_left(text: str) -> None:
    assert cell_text(text) == (text if text != "'-5" else "-5")
