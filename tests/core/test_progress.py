"""Progress without a terminal: a line now and then, also while nothing gets done."""

import time

import pytest

from alpacare.core import progress


def test_silence_is_broken_until_the_work_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_PLAIN_INTERVAL", 0.2)
    with progress.track("answers", 3, "tasks") as advance:
        advance(0, "40 tokens")
        time.sleep(0.7)
        first = capsys.readouterr().err
        advance(3, "90 tokens")
    last = capsys.readouterr().err
    time.sleep(0.5)
    assert first.startswith("answers: 0/3 tasks  40 tokens  0 s so far\n")
    assert 1 < len(first.splitlines()) < 5
    assert last.splitlines()[-1].startswith("answers: 3/3 tasks  90 tokens  ")
    assert capsys.readouterr().err == ""
