"""The student's prompt, the same in training and in generation.

There are two forms. `alpaca`: two text files, `with_input.txt` and `without_input.txt`, after a
start token. `chat`: the tokenizer's own chat template around the question, for base models that are
chat models already. Training writes the form and its texts into the checkpoint and generation reads
them from there, so the two cannot differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alpacare.core.errors import BadInput
from alpacare.core.files import read_text
from alpacare.prompting.chat_template import find_end_of_turn, render_chat, render_turns
from alpacare.prompting.templates import render
from alpacare.prompting.variables import WITH_INPUT, WITHOUT_INPUT
from alpacare.records.message import Message, transcript

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase as Tokenizer

Form = Literal["alpaca", "chat"]
_FORM, _WITH, _WITHOUT = "form.txt", "with_input.txt", "without_input.txt"


@dataclass(frozen=True)
class StudentPrompt:
    """Two templates with the variables instruction and input, and the form around them."""

    with_input: str
    without_input: str
    form: Form = "alpaca"

    @classmethod
    def choose(cls, form: Form, folder: Path) -> "StudentPrompt":
        """Give the prompt of a form; `folder` holds the templates of form `alpaca`.

        Raises:
            BadInput: a template is missing or wrong, or lacks a variable.
        """
        if form == "chat":
            return cls("{{ instruction }}\n\n{{ input }}", "{{ instruction }}", form)
        return cls._check(folder, read_text(folder / _WITH), read_text(folder / _WITHOUT))

    @classmethod
    def _check(cls, folder: Path, with_input: str, without_input: str) -> "StudentPrompt":
        WITH_INPUT.check({folder / _WITH: with_input})
        WITHOUT_INPUT.check({folder / _WITHOUT: without_input})
        return cls(with_input, without_input)

    @classmethod
    def read(cls, folder: Path) -> "StudentPrompt":
        """Read what `save` wrote into a checkpoint, also those of versions with single braces.

        Raises:
            BadInput: no such form, or as `choose`.
        """
        form = read_text(folder / _FORM).strip()
        if form not in ("alpaca", "chat"):
            raise BadInput(f"{folder / _FORM}: expected alpaca or chat, found '{form}'")
        if form == "chat":
            return cls.choose("chat", folder)
        return cls._check(folder, *(_double_braces(folder / name) for name in (_WITH, _WITHOUT)))

    def save(self, folder: Path) -> None:
        """Write the prompt into a new folder."""
        folder.mkdir()
        (folder / _FORM).write_text(f"{self.form}\n")
        (folder / _WITH).write_text(self.with_input, encoding="utf-8")
        (folder / _WITHOUT).write_text(self.without_input, encoding="utf-8")

    def fill(self, instruction: str, input: str) -> str:
        """Fill the template for one task: the one without input if the input is empty."""
        values = {"instruction": instruction, "input": input}
        name, text = (_WITH, self.with_input) if input else (_WITHOUT, self.without_input)
        return render(text, values, f"the student's prompt, {name}")

    def render(self, tokenizer: "Tokenizer", instruction: str, input: str) -> str:
        """Give the full text that the model reads, with the start token.

        Raises:
            BadInput: form `chat`, and the tokenizer has no usable chat template.
        """
        text = self.fill(instruction, input)
        if self.form == "alpaca":
            return (tokenizer.bos_token or "") + text
        return render_chat(tokenizer, text)

    def render_turns(self, tokenizer: "Tokenizer", messages: Sequence[Message]) -> str:
        """Give the full text that the model reads of a conversation, as `render`.

        Form `alpaca` holds one question: its instruction is then the conversation as text.
        """
        if self.form == "alpaca":
            return self.render(tokenizer, transcript(messages), "")
        return render_turns(tokenizer, [turn.model_dump() for turn in messages])

    def encode_turns(self, tokenizer: "Tokenizer", messages: Sequence[Message]) -> list[int]:
        """Give the token ids of `render_turns`."""
        if self.form == "alpaca":
            return self.encode(tokenizer, transcript(messages), "")
        text = self.render_turns(tokenizer, messages)
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
        return ids

    def encode(self, tokenizer: "Tokenizer", instruction: str, input: str) -> list[int]:
        """Give the token ids of `render`."""
        chat = self.form == "chat"
        text = self.render(tokenizer, instruction, input) if chat else self.fill(instruction, input)
        start = [] if chat or tokenizer.bos_token_id is None else [tokenizer.bos_token_id]
        return [*start, *tokenizer.encode(text, add_special_tokens=False)]

    def end_ids(self, tokenizer: "Tokenizer") -> list[int]:
        """Give the token that ends an answer: of form `chat` the template's own end of a turn.

        None where the tokenizer has no such token.
        """
        end: int | None = tokenizer.eos_token_id
        if self.form == "chat" and tokenizer.chat_template:
            end = find_end_of_turn(tokenizer).id
        return [] if end is None else [end]


def _double_braces(path: Path) -> str:
    """Read a template; one of an earlier version has {instruction} and no jinja2."""
    text = read_text(path)
    if re.search(r"\{[{%#]", text):
        return text
    return re.sub(r"\{(instruction|input)\}", r"{{ \1 }}", text)
