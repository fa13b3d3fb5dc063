"""Engine `server`: any OpenAI-compatible server that serves the checkpoint, through the ledger.

It must serve it under the name that `served_name` gives, which holds the checkpoint's hash: a
server that still has yesterday's weights refuses the name instead of answering for them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alpacare.compute.scratch import hash_files
from alpacare.core.errors import BadInput
from alpacare.generation.answering import Answers, room_for_prompts
from alpacare.generation.model import Source, load_tokenizer
from alpacare.generation.prompts import Asked, ask_all
from alpacare.generation.sampling import row_seed
from alpacare.generation.settings import GenerationsSettings
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint, read_endpoint
from alpacare.llm.prices import OWN
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request, complete
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.generation import Generation, known_reason
from alpacare.records.task import TestTask

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def served_name(checkpoint: Path) -> str:
    """Name a checkpoint by its bytes, for `vllm serve --served-model-name`.

    Raises:
        BadInput: there is no model.
    """
    if not (checkpoint / "config.json").exists():
        raise BadInput(f"{checkpoint}: no model here; run `dvc repro checkpoint` or `dvc pull`")
    return OWN + hash_files(checkpoint)[:12]


def answer_by_server(
    checkpoint: Path,
    prompt: StudentPrompt,
    tests: Sequence[TestTask],
    settings: GenerationsSettings,
) -> Answers:
    """Have a server answer every test task; what the ledger holds is not asked again.

    Raises:
        BadInput: no such endpoint; the server does not know the checkpoint, or cannot read the
            prompts as the student was trained to.
    """
    source = Source(str(checkpoint))
    tokenizer = load_tokenizer(source)
    asked = ask_all(tests, prompt, tokenizer, room_for_prompts(source, settings))
    endpoint, name = read_endpoint(str(settings.endpoint)), served_name(checkpoint)
    requests = [
        _request(endpoint, name, _wire_text(prompt, tokenizer, test, each), test, settings)
        for test, each in zip(tests, asked, strict=True)
    ]
    answers = ask(requests)
    run = {
        "engine": "server",
        **settings.model_dump(include={"max_new_tokens", "temperature", "top_p", "seed"}),
        "exact": False,
        "tokens": sum(answer.tokens_out for answer in answers),
        "tokens_per_second": None,
        "models": sorted({answer.model for answer in answers}),
    }
    # such tokenizers decode a first word without its blank, but servers decode it behind the prompt
    blank = tokenizer.tokenize("a")[0].startswith("\u2581")
    triples = zip(tests, asked, answers, strict=True)
    return Answers([_record(*each, blank=blank) for each in triples], run)


def _wire_text(
    prompt: StudentPrompt, tokenizer: "PreTrainedTokenizerBase", test: TestTask, asked: Asked
) -> str:
    """Find the text that a server's tokenizer reads as the very tokens of training.

    Servers put a start token before a text if the tokenizer is made so, and else not.
    """
    whole = prompt.render(tokenizer, test.instruction, asked.input)
    bare: str = whole.removeprefix(tokenizer.bos_token or "")
    for text in (bare, whole):
        if tokenizer(text).input_ids == asked.ids:
            return text
    raise BadInput(
        f"test task {test.id}: no text is read by a server as the tokens that the student was "
        "trained with; use generations.engine: batched"
    )


def _request(
    endpoint: Endpoint, model: str, text: str, test: TestTask, settings: GenerationsSettings
) -> Request:
    sampled = settings.temperature > 0
    return complete(
        endpoint,
        model,
        text,
        label=f"student's answer to {test.id}",
        max_tokens=settings.max_new_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p if sampled else None,
        seed=row_seed(settings.seed, test.id) if sampled else None,
    )


def _record(test: TestTask, asked: Asked, answer: Answer, blank: bool) -> Generation:
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=answer.text.removeprefix(" ") if blank else answer.text,
        generator="student",
        finish_reason=known_reason(answer.finish_reason),
        tokens=answer.tokens_out or None,
        input_left_out=asked.left_out,
    )
