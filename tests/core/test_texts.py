"""The one rule for texts that come in: what it takes out, and what it leaves alone."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.core.texts import comparable, repair_text, shows_nothing
from alpacare.records.task import Question, row_id, same_task_key

FINE = [
    "Tab\tand lines\r\nand\x0bpages\x0c, \x85 and \u2028",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a non-joiner
    "\u0915\u094d\u200d\u0937",  # Hindi, with a joiner
    "\U0001f469\u200d\u2695\ufe0f \U0001f1e9\U0001f1ea",
    "\u200f\u05e9\u05dc\u05d5\u05dd\u200e 5 mg",  # Hebrew between marks of direction
    "soft\u00adhyphen, \ufeffmark, \u09df\u0958",  # Bengali and Hindi letters that are not NFC
    "  blanks \n",
    "",
]


@pytest.mark.parametrize("text", FINE)
def test_a_clean_text_keeps_its_bytes_and_its_id(text: str) -> None:
    repairs: Counter[str] = Counter()
    assert repair_text(text, repairs) == text
    assert not +repairs


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("a\x00b\x07\x08c\x7f", "abc"),
        ("\x1b[1;31mred\x1b[0m\x1b]0;title\x07", "red]0;title"),
        ("a\x1eb\x1fc", "a b c"),
        ("patient\x92s \x93own\x94 \x81words\x9d", "patient\u2019s \u201cown\u201d words"),
        ("\u200b\u200d\ufeff \u2060\u00ad", ""),
        ("\u3164\u115f\ufe0f\U000e0041\u2800", ""),
        ("\x00\u200b", ""),
    ],
)
def test_what_cannot_be_shown_goes_and_is_counted(text: str, repaired: str) -> None:
    repairs: Counter[str] = Counter()
    assert repair_text(text, repairs) == repaired
    assert +repairs
    assert repair_text(repaired) == repaired


@given(st.text())
def test_a_repaired_text_holds_no_control_and_is_repaired(text: str) -> None:
    repaired = repair_text(text)
    assert repair_text(repaired) == repaired
    assert not any(c < " " and c not in "\t\n\x0b\x0c\r" for c in repaired)
    assert not repaired.strip() or not shows_nothing(repaired)


def test_rows_are_one_task_whatever_the_form_of_their_letters() -> None:
    assert (
        same_task_key("Caf\u00e9?", "") == same_task_key("Cafe\u0301?", "") == row_id("Café?", "")
    )
    assert comparable("\u09df") != "\u09df"
    assert row_id("\u09df", "") != same_task_key("\u09df", ""), "the id is of the text as it is"


@pytest.mark.parametrize("text", ["\u200b", " \ufeff", "\u3164\u2800", "\ufff9"])
def test_no_record_holds_a_text_that_shows_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="instruction"):
        Question(id=row_id(text, ""), instruction=text, input="")
    assert shows_nothing(text)
