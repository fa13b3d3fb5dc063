"""A model's own chat template: prompts, the end of a turn, and conversations of several turns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from alpacare.core.errors import BadInput

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase as Tokenizer

Message = Mapping[str, str]  # role (system, user or assistant) and content
Part = tuple[list[int], bool]  # token ids, and whether the model is to write them

_TODAY = datetime(2024, 7, 26)  # given to templates that want a date, so that no clock is read
_CLOCK = re.compile(r"""\bstrftime_now\(\s*(["'])(.*?)\1\s*\)""")
_PROBE = ("Which bone is the longest?", "The femur.")
_PLACE = "prompt: chat: this model's"
_takes_parts: dict[str, bool] = {}  # by template


@dataclass(frozen=True)
class EndOfTurn:
    """The token that ends an answer, and what the template writes up to its end.

    `text` is empty for a template that ends a turn with no token of its own: then the tokenizer's
    end of text ends an answer.
    """

    id: int
    text: str


def render_chat(tokenizer: "Tokenizer", question: str) -> str:
    """Put a question into the template, with the same result on every day.

    Raises:
        BadInput: there is no template, or it does not show the question.
    """
    return render_turns(tokenizer, [{"role": "user", "content": question}])


def render_turns(tokenizer: "Tokenizer", messages: Sequence[Message]) -> str:
    """Put a conversation that waits for an answer into the template, as `render_chat`.

    Raises:
        BadInput: there is no template, or it refuses such turns or does not show them.
    """
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise BadInput(f"{_PLACE} tokenizer has no chat template; use alpaca")
    try:
        return _fill(tokenizer, messages)
    except TemplateError as error:
        raise BadInput(f"{_PLACE} chat template cannot be filled ({error}); use alpaca") from error


def find_end_of_turn(tokenizer: "Tokenizer") -> EndOfTurn:
    """Find what ends an answer: the first token of its own that the template writes after one."""
    from jinja2 import TemplateError

    asked, answered = _PROBE
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    try:
        rest = _apply(tokenizer, turns, prompt=False).rpartition(answered)[2]
    except TemplateError:
        rest = ""
    for id in tokenizer.encode(rest, add_special_tokens=False):
        if id in tokenizer.added_tokens_decoder:
            token = str(tokenizer.convert_ids_to_tokens(id))
            return EndOfTurn(id, rest[: rest.index(token) + len(token)])
    return EndOfTurn(tokenizer.eos_token_id, "")


def encode_conversation(
    tokenizer: "Tokenizer", messages: Sequence[Message], complete: bool
) -> list[Part] | None:
    """Give a conversation's tokens: each answer after the prompt that a server would make for it.

    Earlier answers have the tokens that they have in that prompt, with the template's own blanks.
    What follows the last answer is left out; it gets its end only if it is `complete`. A template
    that rewrites earlier turns, or ends none, gives a prompt that holds them, and one answer; so
    does a tokenizer that reads a prompt otherwise once an answer follows. None: the template
    refuses such turns, or does not show them.
    """
    from jinja2 import TemplateError

    end = find_end_of_turn(tokenizer)
    parts: list[Part] = []
    ids: list[int] = []
    prompt = answer = ""
    for place, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        try:
            longer = _fill(tokenizer, messages[:place])
        except TemplateError:
            return None
        before, ids = ids, tokenizer.encode(longer, add_special_tokens=False)
        later = _after_prompt(ids, before, end) if _holds(longer, prompt, answer, end) else None
        parts = [*parts[:-1], *later] if parts and later else [(ids, False)]
        prompt, answer = longer, message["content"].strip()
        parts.append(([*tokenizer.encode(answer, add_special_tokens=False), end.id], True))
    if parts and not complete:
        parts[-1][0].pop()
    return parts


def _holds(longer: str, prompt: str, answer: str, end: EndOfTurn) -> bool:
    """Whether a longer prompt begins with a prompt, an answer and its end, but for blanks."""
    rest = longer.removeprefix(prompt).lstrip()
    ended = rest.removeprefix(answer).lstrip()
    whole = longer.startswith(prompt) and rest.startswith(answer)
    return bool(end.text) and whole and ended.startswith(end.text.lstrip())


def _after_prompt(ids: list[int], before: list[int], end: EndOfTurn) -> list[Part] | None:
    """Give the answer, up to its end, that follows the tokens of an earlier prompt, and the rest.

    None: these tokens are others once the answer follows.
    """
    new = ids[len(before) :]
    if ids[: len(before)] != before or end.id not in new:
        return None
    cut = new.index(end.id) + 1
    return [(new[:cut], True), (new[cut:], False)]


def _fill(tokenizer: "Tokenizer", messages: Sequence[Message]) -> str:
    """Give a prompt for the next answer, in which all questions stand.

    Raises:
        TemplateError: the template refuses the messages, or does not show one.
    """
    from jinja2 import TemplateError

    filled = _apply(tokenizer, messages, prompt=True)
    for message in messages:
        if message["role"] != "assistant" and message["content"].strip() not in filled:
            raise TemplateError(f"it does not show what the {message['role']} says")
    return filled


def _apply(tokenizer: "Tokenizer", messages: Sequence[Message], prompt: bool) -> str:
    """Apply the template; one that iterates over the parts of a content gets parts."""
    template = tokenizer.get_chat_template()
    if template not in _takes_parts:
        asked = _PROBE[0]
        plain = _apply_as(tokenizer, [{"role": "user", "content": asked}], True, parts=False)
        _takes_parts[template] = asked not in plain
    return _apply_as(tokenizer, messages, prompt, parts=_takes_parts[template])


def _fix_date(call: re.Match[str]) -> str:
    return repr(_TODAY.strftime(call[2]))


def _apply_as(
    tokenizer: "Tokenizer", messages: Sequence[Message], prompt: bool, *, parts: bool
) -> str:
    from jinja2 import TemplateError

    turns: list[dict[str, Any]] = [dict(message) for message in messages]
    for turn in turns if parts else ():
        turn["content"] = [{"type": "text", "text": turn["content"]}]
    try:
        return str(
            tokenizer.apply_chat_template(
                turns,
                tokenize=False,
                add_generation_prompt=prompt,
                chat_template=_CLOCK.sub(_fix_date, tokenizer.get_chat_template()),
                date_string=_TODAY.strftime("%d %b %Y"),
            )
        )
    except (TypeError, ValueError, LookupError, AttributeError) as error:  # it is a small program
        raise TemplateError(str(error)) from error
