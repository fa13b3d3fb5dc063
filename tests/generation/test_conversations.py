"""Students answer a conversation of several turns as they were trained to read one."""

from pathlib import Path

import pytest
from answerers import WORDS

from alpacare.core.errors import BadInput
from alpacare.generation.prompts import encode_prompts
from alpacare.llm.request_settings import RequestSettings
from alpacare.llm.task_requests import make_requests
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.message import Message, messages_id, transcript
from alpacare.records.task import TestTask
from alpacare.training.base_model import train_tokenizer

TURNS = (
    Message(role="system", content="be kind"),
    Message(role="user", content="my head hurts"),
    Message(role="assistant", content="since when?"),
    Message(role="user", content="since monday"),
)
TASK = TestTask(id=messages_id(TURNS), instruction=transcript(TURNS), input="", messages=TURNS)
TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"
    "{% if add_generation_prompt %}<answer>{% endif %}"
)


def test_a_chat_student_gets_the_turns_and_any_other_all_of_it_as_text() -> None:
    tokenizer = train_tokenizer([" ".join(WORDS)] * 3, 300)
    tokenizer.chat_template = TEMPLATE
    chat = StudentPrompt.choose("chat", Path())
    (encoded,) = encode_prompts([TASK], chat, tokenizer, None)
    assert tokenizer.decode(encoded.ids) == (
        "<system>be kind<user>my head hurts<assistant>since when?<user>since monday<answer>"
    )
    plain = StudentPrompt("{{ instruction }}\n{{ input }}", "Q: {{ instruction }}")
    (encoded,) = encode_prompts([TASK], plain, tokenizer, None)
    text = tokenizer.decode(encoded.ids, skip_special_tokens=True)
    assert text == f"Q: {TASK.instruction}"
    assert text.endswith("assistant: since when?\n\nuser: since monday")


def test_a_conversation_that_is_too_long_loses_its_first_turns_and_says_so() -> None:
    tokenizer = train_tokenizer([" ".join(WORDS)] * 3, 300)
    tokenizer.chat_template = TEMPLATE
    chat = StudentPrompt.choose("chat", Path())
    (whole,) = encode_prompts([TASK], chat, tokenizer, None)
    (short,) = encode_prompts([TASK], chat, tokenizer, len(whole.ids) - 1)
    assert tokenizer.decode(short.ids) == "<system>be kind<user>since monday<answer>"
    assert short.tokens_left_out == len(whole.ids) - len(short.ids) > 0
    with pytest.raises(BadInput, match="its last question alone is too long"):
        encode_prompts([TASK], chat, tokenizer, 5)


def test_a_model_behind_an_api_gets_the_turns(params: Path) -> None:
    prompt = Path("prompt")
    prompt.mkdir()
    (prompt / "system.txt").write_text("Answer well.")
    (prompt / "user.txt").write_text("Task: {{ instruction }} {{ input }}")
    settings = RequestSettings(
        endpoint="recordings", model="m", temperature=0, presence_penalty=None,
        max_tokens=9, retry_max_tokens=None, extra={},
    )  # fmt: skip
    own = TASK.model_copy(update={"messages": TURNS[1:]})
    with_system, without = make_requests([TASK, own], settings, prompt)
    turns = [turn.model_dump() for turn in TURNS]
    assert with_system.body["messages"] == turns
    assert without.body["messages"] == [
        {"role": "system", "content": "Answer well."}, *turns[1:]
    ]  # fmt: skip
