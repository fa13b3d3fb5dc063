"""Stage `server_generations`: a server that has the checkpoint answers a test set over HTTP.

Any OpenAI-compatible server will do, say vLLM; its answers are kept in the ledger. It must serve
the checkpoint under the name that `served_name` gives, which holds the checkpoint's hash: a server
that still has yesterday's weights then refuses the name instead of answering for them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from alpacare.compute.pretrained import ModelSource
from alpacare.compute.scratch import hash_files
from alpacare.core.command import FILE, Stage, check_files
from alpacare.core.errors import BadInput
from alpacare.core.settings import load
from alpacare.generation.answering import GenerationRun, max_prompt_tokens, name_student
from alpacare.generation.model import load_tokenizer
from alpacare.generation.prompts import EncodedPrompt, encode_prompts
from alpacare.generation.sampling import row_seed
from alpacare.generation.settings import GenerationsSettings
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint, read_endpoint
from alpacare.llm.prices import STUDENT_PREFIX
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request, complete
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.generation import Generation, read_finish_reason
from alpacare.records.task import TestTask
from alpacare.records.test_set import read_test_set

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@click.command(cls=Stage)
@click.argument("checkpoint", type=FILE)
@click.argument("tests", type=FILE)
@click.argument("out", type=FILE)
@click.option("--run", type=FILE, required=True, help="How the answers came about, as JSON.")
def main(checkpoint: Path, tests: Path, out: Path, run: Path) -> None:
    """Have the server in `generations.servers` answer the test set TESTS and write OUT.

    \b
    Example:
      python -m alpacare.stages.server_generations models/checkpoint/all-rows/0 \\
          data/tests/demo.jsonl data/generations/demo/all-rows/0.jsonl \\
          --run data/generations/demo/all-rows/0.json
    """
    check_files([tests], [out, run])
    settings = load("generations", GenerationsSettings)
    prompt = StudentPrompt.read(checkpoint / "prompt")
    answers = answer_by_server(checkpoint, prompt, read_test_set(tests), settings)
    click.echo(answers.save(out, run))


def served_name(checkpoint: Path) -> str:
    """Name a checkpoint by its bytes, for `vllm serve --served-model-name`.

    Raises:
        BadInput: there is no model.
    """
    if not (checkpoint / "config.json").exists():
        raise BadInput(f"{checkpoint}: no model here; run `dvc repro checkpoint` or `dvc pull`")
    return STUDENT_PREFIX + hash_files(checkpoint)[:12]


def answer_by_server(
    checkpoint: Path,
    prompt: StudentPrompt,
    tests: Sequence[TestTask],
    settings: GenerationsSettings,
) -> GenerationRun:
    """Have a server answer every test task; what the ledger holds is not asked again.

    Raises:
        BadInput: no such endpoint; the server does not know the checkpoint, or cannot read the
            prompts as the student was trained to.
    """
    source = ModelSource(str(checkpoint))
    tokenizer = load_tokenizer(source)
    encoded = encode_prompts(tests, prompt, tokenizer, max_prompt_tokens(source, settings))
    endpoint, name = read_endpoint(settings.servers[0]), served_name(checkpoint)
    requests = [
        _request(endpoint, name, _wire_text(prompt, tokenizer, test, each), test, settings)
        for test, each in zip(tests, encoded, strict=True)
    ]
    answers = ask(requests)
    run = {
        "engine": "server",
        **settings.model_dump(include={"max_new_tokens", "temperature", "top_p", "seed"}),
        "exact": False,
        "tokens": sum(answer.tokens_out for answer in answers),
        "with_thoughts": sum(answer.thoughts for answer in answers),
        "tokens_per_second": None,
        "models": sorted({answer.model for answer in answers}),
    }
    # such tokenizers decode a first word without its blank, but servers decode it behind the prompt
    blank = tokenizer.tokenize("a")[0].startswith("\u2581")
    triples = zip(tests, encoded, answers, strict=True)
    student = name_student(checkpoint)
    return GenerationRun([_record(*each, blank, student) for each in triples], run)


def _wire_text(
    prompt: StudentPrompt,
    tokenizer: "PreTrainedTokenizerBase",
    test: TestTask,
    encoded: EncodedPrompt,
) -> str:
    """Find the text that a server's tokenizer reads as the very tokens of training.

    Servers put a start token before a text if the tokenizer is made so, and else not.
    """
    if encoded.turns:
        whole = prompt.render_turns(tokenizer, encoded.turns)
    else:
        whole = prompt.render(tokenizer, test.instruction, encoded.input)
    bare: str = whole.removeprefix(tokenizer.bos_token or "")
    for text in (bare, whole):
        if tokenizer(text).input_ids == encoded.ids:
            return text
    raise BadInput(
        f"test task {test.id}: no text is read by a server as the tokens that the student was "
        "trained with; use generations.engines: [batched]"
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


def _record(
    test: TestTask, encoded: EncodedPrompt, answer: Answer, blank: bool, student: str
) -> Generation:
    return Generation(
        id=test.id,
        instruction=test.instruction,
        input=test.input,
        output=answer.said.removeprefix(" ") if blank else answer.said,
        generator=student,
        finish_reason=read_finish_reason(answer.finish_reason),
        tokens=answer.tokens_out or None,
        input_left_out=encoded.tokens_left_out,
    )


if __name__ == "__main__":
    main()
