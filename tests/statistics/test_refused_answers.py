"""The rule for refusals: what it sees, and above all what it leaves alone."""

import pytest

from alpacare.statistics.refusals import refuses


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t provide medical advice.",
        "I cannot provide a diagnosis without an examination.",
        "Sorry, I am unable to assist.",
        "Unfortunately, I am not able to access your records.",
        "As an AI language model, I cannot prescribe drugs.",
        "As an AI, I don't have feelings.",
        "I apologize, but as a large language model I can't diagnose this.",
        "  **I won't answer this.**",
    ],
)
def test_refusals(answer: str) -> None:
    assert refuses(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I'm sorry to hear that your mother is ill. Keep her warm.",
        "I can't sleep and my chest hurts.",
        "I cannot see well since this morning.",
        "Patients who cannot give consent need a proxy.",
        "Aspirin helps. I cannot recommend a dose without her weight.",
        "Unfortunately, the scan shows a mass.",
        "I can help with that.",
        "The model, as an AI, cannot decide.",
    ],
)
def test_answers(answer: str) -> None:
    assert not refuses(answer)
