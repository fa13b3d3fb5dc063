"""Chat templates: the question is shown, an answer has the template's end, turns join exactly."""

from typing import Any

import pytest
from answerers import WORDS
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AddedToken, PreTrainedTokenizerFast

from alpacare.core.errors import BadInput
from alpacare.prompting.chat_template import encode_conversation, find_end_of_turn, render_chat
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.training.base_model import train_tokenizer
from alpacare.training.packing import build_tensors, join_parts

ADDED = ["<|turn|>", "<|end|>", "[ASK]", "[/ASK]", "<|done|>"]
START = "{% for m in messages %}"
TURN = "<|turn|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n"
END = "{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
NO_SYSTEM = "{% if m['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
# by kind: the template, the end of a turn, whether it shows a system turn
TEMPLATES: dict[str, tuple[str, str, bool]] = {
    "marked": (START + TURN + END, "<|end|>", True),
    "trimmed": (START + TURN.replace("'] }}<", "'] | trim }}<") + END, "<|end|>", True),
    "first part": (
        START + TURN.replace("m['content']", "m['content'][0]['text']") + END, "<|end|>", True
    ),
    "all parts": (
        START
        + "<|turn|>{{ m['role'] }}\n{% for p in m['content'] %}{{ p['text'] }}{% endfor %}<|end|>\n"
        + END,
        "<|end|>",
        True,
    ),
    "no system": (START + NO_SYSTEM + TURN + END, "<|end|>", False),
    "forgets system": (
        START + "{% if m['role'] != 'system' %}" + TURN + "{% endif %}" + END, "<|end|>", False
    ),
    "brackets": (
        START
        + "{% if m['role'] == 'assistant' %} {{ m['content'] }} </s>"
        + "{% else %}<s>[ASK] {{ m['content'] }} [/ASK]{% endif %}{% endfor %}",
        "</s>",
        True,
    ),
    "no end": (START + TURN.replace("<|end|>", "") + END, "</s>", True),
    # as those do that take thoughts out of earlier answers
    "rewrites": (
        START
        + "{% if m['role'] == 'assistant' and not loop.last %}<|turn|>assistant\n...<|end|>\n"
        + "{% else %}" + TURN + "{% endif %}" + END,
        "<|end|>",
        True,
    ),
    "takes blanks": (START + TURN + END, "<|end|>", True),  # as Phi-3's tokens do
    # two line breaks are one token, but two before a word
    "breaks": (
        START + TURN.replace("\n{{", "\n\n{{") + END.replace("t\n", "t\n\n"), "<|end|>", True
    ),
    "plain marks": (  # as Zephyr's, which are no tokens of their own
        START
        + "<|{{ m['role'] }}|>\n{{ m['content'] }}</s>\n"
        + "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}",
        "</s>",
        True,
    ),
}  # fmt: skip


def make_tokenizer(kind: str) -> Any:
    tokenizer = train_tokenizer([" ".join(WORDS), "\n\n ask \n\n"] * 3, 300)
    if kind == "plain marks":
        tokenizer = first_word_marked()
    added = [AddedToken(token, rstrip=kind == "takes blanks", special=True) for token in ADDED]
    tokenizer.add_special_tokens({"additional_special_tokens": added})
    tokenizer.chat_template = TEMPLATES[kind][0]
    return tokenizer


def first_word_marked() -> Any:
    """A tokenizer that puts a blank before a text's first word, as LLaMA's does."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    inner.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=99, special_tokens=["<s>", "</s>"], show_progress=False
    )
    inner.train_from_iterator([" ".join(WORDS), "<|system|>\n<|user|>\n"], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_prompt_shows_its_question_and_is_what_the_template_gives(kind: str) -> None:
    tokenizer = make_tokenizer(kind)
    prompt = StudentPrompt.choose("chat", None)  # type: ignore[arg-type]
    ids = prompt.encode(tokenizer, "ask a doctor", "about the heart")
    text = "ask a doctor\n\nabout the heart"
    content: Any = [{"type": "text", "text": text}] if "part" in kind else text
    plain = tokenizer.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, return_dict=False
    )
    assert ids == plain
    assert text in tokenizer.decode(ids)
    assert prompt.end_ids(tokenizer) == tokenizer.convert_tokens_to_ids([TEMPLATES[kind][1]])


def test_a_template_that_shows_no_question_is_refused() -> None:
    tokenizer = make_tokenizer("marked")
    tokenizer.chat_template = "{% for m in messages %}{{ m['text'] }}{% endfor %}<|turn|>"
    with pytest.raises(BadInput, match="it does not show what the user says"):
        render_chat(tokenizer, "ask a doctor")


TURNS = [
    ("system", "then wait"),
    ("user", "ask a doctor"),
    ("assistant", "about the heart"),
    ("user", "and then"),
    ("assistant", "wait for an answer"),
]


def messages(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


@pytest.mark.parametrize("kind", TEMPLATES)
def test_turns_are_the_prompts_of_a_server_and_the_answers_alone_count(kind: str) -> None:
    tokenizer, (_, end, has_system) = make_tokenizer(kind), TEMPLATES[kind]
    if not has_system:
        assert encode_conversation(tokenizer, messages(*TURNS), True) is None
    turns = TURNS[1:]
    parts = encode_conversation(tokenizer, messages(*turns), True)
    assert parts is not None
    written = [tokenizer.decode(ids).strip() for ids, counts in parts if counts]
    last = ["wait for an answer" + end]
    only_last = kind in ("rewrites", "no end", "breaks")  # earlier turns are not as they were
    first = "about the heart " if kind == "brackets" else "about the heart"  # as it is shown
    assert written == (last if only_last else [first + end, *last])
    # what stands before the last answer is what a server would be asked with
    asked: Any = messages(*turns[:3])
    if "part" in kind:
        asked = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in asked]
    served = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)
    read = [id for ids, _ in parts[:-1] for id in ids]
    assert read == tokenizer.encode(served, add_special_tokens=False)


def test_the_loss_counts_answers_and_their_ends_only() -> None:
    tokenizer = make_tokenizer("marked")
    parts = encode_conversation(tokenizer, messages(*TURNS, ("user", "now")), complete=False)
    assert parts
    example = join_parts(parts, 500)
    assert example
    labels = build_tensors([example, example], 2 * len(example.ids) + 3, 0)["labels"].tolist()
    counted = tokenizer.decode([label for label in labels if label != -100])
    once = "about the heart<|end|>wait for an answer"  # the last was cut off: no end
    assert counted == once * 2
    assert labels[-3:] == [-100] * 3
    for length in range(1, len(example.ids)):  # cut anywhere, it stays the beginning
        cut = join_parts(parts, length)
        assert cut is None or build_tensors([cut], length, 0)["labels"].tolist() == labels[:length]
    ends = find_end_of_turn(tokenizer)
    assert ends.text == "<|end|>"
