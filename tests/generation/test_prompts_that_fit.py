"""Prompts are those of training, and too long ones lose the middle of their input, counted."""

from pathlib import Path
from typing import Any

import pytest
from answerers import WORDS, answer, fail, make_checkpoint
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st

from alpacare.core.errors import BadInput
from alpacare.generation.prompts import encode_prompts
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.records.task import TestTask, row_id
from alpacare.training.base_model import train_tokenizer
from alpacare.training.packing import encode_example

TOKENIZER = train_tokenizer([" ".join(WORDS)] * 3, 300)
PLAIN = StudentPrompt("{{ instruction }}\n{{ input }}", "{{ instruction }}")


def task(instruction: str, input: str = "") -> TestTask:
    return TestTask(id=row_id(instruction, input), instruction=instruction, input=input)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint")


def test_a_long_input_loses_its_middle_and_says_so(checkpoint: Path) -> None:
    history = "first she fell. " + "and then nothing. " * 200 + "what now?"
    long, short = answer(checkpoint, [task("Advise her.", history), task("Advise her.", "Hm.")])
    assert long.input == history
    assert long.input_left_out > 500
    assert short.input_left_out == 0
    (encoded,) = encode_prompts([task("Advise her.", history)], PLAIN, TOKENIZER, 100)
    assert encoded.input.startswith("first she fell. ")
    assert encoded.input.endswith("what now?")
    assert "\n[...]\n" in encoded.input
    assert len(encoded.ids) <= 100
    whole = PLAIN.encode(TOKENIZER, "Advise her.", history)
    assert len(whole) - len(encoded.ids) == encoded.tokens_left_out


@given(st.text(max_size=80), st.integers(20, 60))
def test_a_prompt_always_fits_and_keeps_all_it_can(input: str, most: int) -> None:
    (encoded,) = encode_prompts([task("ask", input)], PLAIN, TOKENIZER, most)
    assert len(encoded.ids) <= most
    assert (encoded.tokens_left_out == 0) == (encoded.input == input)
    assert encoded.ids == PLAIN.encode(TOKENIZER, "ask", encoded.input)


def test_an_instruction_is_never_cut(checkpoint: Path) -> None:
    line = fail(checkpoint, [task("hi"), task("ask a doctor " * 300, "now")])
    assert "its instruction alone is too long" in line
    assert row_id("ask a doctor " * 300, "now") in line


def test_more_new_tokens_than_context_is_refused(checkpoint: Path) -> None:
    line = fail(checkpoint, [task("hi")], max_new_tokens=512)
    assert "max_new_tokens: 512 leaves no room for a prompt in the model's context of 512" in line


@pytest.mark.parametrize("form", ["alpaca", "chat"])
@pytest.mark.parametrize("input", ["", "two days of fever"])
def test_training_and_answering_read_the_same_tokens(form: Any, input: str, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "m", chat=form == "chat")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    chosen = StudentPrompt.choose(form, REPOSITORY / "prompts/student")
    saved = StudentPrompt.read(folder / "prompt")
    (encoded,) = encode_prompts([task("Explain this.", input)], saved, tokenizer, None)
    row = Response(
        id="x", instruction="Explain this.", input=input, output="It is hot.",
        finish_reason="stop", model="m", request="r",
    )  # fmt: skip
    prompt = chosen.encode(tokenizer, row.instruction, row.input)
    example = encode_example(tokenizer, prompt, row.output, [tokenizer.eos_token_id], 500)
    assert example is not None
    assert example.ids[: example.prompt_length] == encoded.ids
    text = tokenizer.decode(encoded.ids)
    assert text == chosen.render(tokenizer, "Explain this.", input)
    assert encoded.ids.count(tokenizer.bos_token_id) == 1
    shown = "Explain this.\n\n" + input if input else "Explain this."
    assert text == f"<s><user>{shown}<answer>" if form == "chat" else "### Response:" in text


def test_a_model_without_chat_template_is_no_chat_model() -> None:
    prompt = StudentPrompt.choose("chat", Path())
    with pytest.raises(BadInput, match=r"tokenizer has no chat template; use alpaca"):
        prompt.encode(TOKENIZER, "hi", "")


def test_a_chat_template_is_the_same_every_day_and_a_broken_one_is_named() -> None:
    """What it says of today would part training from answering."""
    prompt = StudentPrompt.choose("chat", Path())
    tokenizer = train_tokenizer([" ".join(WORDS)] * 3, 300)
    tokenizer.chat_template = (
        "{% if not date_string is defined %}{% set date_string = strftime_now('%d') %}{% endif %}"
        "{{ date_string }}{{ messages[0]['content'] }}"
    )
    assert prompt.render(tokenizer, "hi", "") == "26 Jul 2024hi"
    tokenizer.chat_template = "{{ strftime_now('%d %B %Y') }}{{ messages[0]['content'] }}"
    assert prompt.render(tokenizer, "hi", "") == "26 July 2024hi"
    tokenizer.chat_template = "{{ raise_exception('no system, no chat') }}"
    with pytest.raises(BadInput, match=r"cannot be filled \(no system, no chat\); use alpaca"):
        prompt.render(tokenizer, "hi", "")


def test_an_answer_that_quotes_the_marker_survives(tmp_path: Path) -> None:
    """Upstream cuts at "Response:"; here the new tokens are the answer, whatever they say."""
    from alpacare.generation.answering import make_record
    from alpacare.generation.prompts import EncodedPrompt
    from alpacare.generation.worker import trim_answer

    said = "Write ### Response: and then\n\n### Instruction: ask"
    ids = [*TOKENIZER.encode(said), TOKENIZER.eos_token_id, *TOKENIZER.encode("more")]
    answer_tokens = trim_answer(ids, [TOKENIZER.eos_token_id], 99)
    record = make_record(task("x"), EncodedPrompt([1], ""), TOKENIZER, answer_tokens, "student")
    assert (record.output, record.finish_reason) == (said, "stop")
    assert record.tokens == len(TOKENIZER.encode(said)) + 1
    assert trim_answer([5, 6], [2], 2) == ([5, 6], "length")
