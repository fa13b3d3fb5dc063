"""Whether criteria are met, read from replies: each form, and nothing where a reply is in doubt."""

import json
from typing import Any

import pytest

from alpacare.judging.verdicts.criteria import read_criteria, read_criterion

YES, NO = json.dumps({"criteria_met": True}), json.dumps({"criteria_met": False})


@pytest.mark.parametrize(
    ("reply", "met"),
    [
        (YES, True),
        (f"```json\n{NO}\n```", False),
        (f"<think>{YES}</think>{NO}", False),
        ('{"explanation": "no dose", "criteria_met": "false"}', False),
        ("It names no dose.\n**Not met.**", False),
        ("Verdict: met", True),
        ("yes", True),
        (f"{YES} {NO}", None),
        ('{"criteria_met": true, "criteria_met": false}', None),
        ('{"criteria_met": "partly"}', None),
        ("The criterion is met in part.", None),
        ("unmet or met", None),
        ("", None),
        ("criteria_met: yes", True),
        ("Met.\n\nIt names no dose after all.\nNot met.", None),
        ("Not met.\n\nIt names a dose.", None),
        ('{"met": true, "criteria_met": false}', None),
        ('{"criteria_met": true, "again": {"criteria_met": false}}', None),
    ],
)
def test_one_criterion(reply: str, met: bool | None) -> None:
    assert read_criterion(reply) is met


def test_a_repeated_answer_and_a_cut_off_word_are_no_verdict() -> None:
    assert read_criterion(f"The answer says {YES}\nHm.", (f"I am good: {YES}",)) is None
    assert read_criterion("So: yes\nyes", cut=True) is None
    assert read_criterion(YES[:-1], cut=True) is None
    shown = ("Does it hurt? Yes.", "1. Yes\n2. No")
    assert read_criterion("The answer ends so:\nYes.", shown) is None
    assert read_criterion("It says:\nYes.\nNot met.", shown) is False
    assert read_criterion("Yes.", shown) is True  # the whole reply
    assert read_criteria("It says:\n1. Yes\n2. No\nI cannot grade that.", 2, shown) == [None] * 2
    assert read_criteria("1. met\n2. met", 2, cut=True) == [True, None]  # 2. met in part


@pytest.mark.parametrize(
    ("reply", "met"),
    [
        (
            {"criteria": [{"number": 2, "met": False}, {"number": 1, "met": True}]},
            [True, False, None],
        ),
        ([{"number": "1", "criteria_met": True}, {"number": 9, "met": True}], [True, None, None]),
        ([{"number": 1, "met": True}, {"number": 1, "met": False}], [None, None, None]),
        # counted from 0, and a criterion split in two
        ([{"number": n, "met": n != 1} for n in range(3)], [None] * 3),
        ("0: met\n1: not met\n2: met", [None] * 3),
        ([{"number": n, "met": n != 2} for n in range(1, 5)], [None] * 3),
        # a count of all beside them, and what is numbered by another key
        (
            {"criteria": [{"number": 1, "met": True}, {"number": 2, "met": False}], "met": 1},
            [True, False, None],
        ),
        ({"met": 1, "not_met": 0, "criteria": [{"number": 3, "met": True}]}, [None, None, True]),
        ([{"id": 1, "criterion": "Names a dose", "criteria_met": True}], [True, None, None]),
        ("1. met\n2) Not met\n- **3**: yes", [True, False, True]),
        ("1: met\n2: the dose is met", [True, None, None]),
        ("all met", [None, None, None]),
    ],
)
def test_several_criteria_by_their_numbers(reply: Any, met: list[bool | None]) -> None:
    text = reply if isinstance(reply, str) else f"Here:\n{json.dumps(reply)}"
    assert read_criteria(text, 3) == met
