"""How fast a real model is trained and asked on this CPU, beside the usual ways.

    python bench/real_model.py models/smollm2-135m data/responses.jsonl

Useful tokens a CPU second, one thread: training by our packing, by the published recipe with its
padded batches, and by TRL's packing and padding-free batches where it is installed (trl==1.16.0),
with LoRA and of all weights; answering by our engine, and by plain `generate` on one left-padded
batch. `make real-model` runs it, and writes what it prints into docs/real-model.md.
"""

import copy
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import click
import results
import torch
from train_ways import ROW, WAYS, Way, Work, trl_padding_free

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.libraries import import_libraries
from alpacare.compute.pretrained import ModelSource, read_tokenizer
from alpacare.compute.weights import read_weights
from alpacare.core import jsonl
from alpacare.generation.batched import answer_rows, pad_left
from alpacare.generation.settings import Decoding, GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.packing import Example, encode_example

SAMPLES, BATCH = 8, 8
ROUNDS = 2
ASKED, NEW_TOKENS = 12, 64
LORA = {"r": 16, "lora_alpha": 32, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
SETTINGS = GenerationsSettings(
    engines=["batched"], servers=[], workers=1, max_new_tokens=NEW_TOKENS, temperature=0.0,
    top_p=1.0, seed=0, cache_tokens=4096, step_tokens=512, dtype="float32", threads=1,
)  # fmt: skip

Rates = dict[str, float]


def encode(tokenizer: Any, rows: list[Response]) -> list[Example]:
    """Rows as the student is trained on them, spread over the file."""
    prompt = StudentPrompt.choose("chat", Path())
    end = prompt.end_ids(tokenizer)
    made = (
        encode_example(
            tokenizer, prompt.encode(tokenizer, r.instruction, r.input), r.output, end, ROW
        )
        for r in rows
    )
    whole = [example for example in made if example and not example.truncated]
    return whole[:: max(1, len(whole) // SAMPLES)][:SAMPLES]


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def train_rates(first: Any, work: Work, lora: bool) -> list[Rates]:
    """Useful tokens a CPU second of each way, in rounds; building a Trainer counts for all."""
    from peft import LoraConfig, get_peft_model

    def seconds(way: Way) -> float:
        model = copy.deepcopy(first)
        if lora:
            model = get_peft_model(model, LoraConfig(**LORA))
        with tempfile.TemporaryDirectory() as folder:
            return cpu_seconds(lambda: way(model, work, folder))

    ways = {**WAYS, "padding_free": trl_padding_free}
    if not find_spec("trl"):
        ways = {name: ways[name] for name in ("published", "ours")}
    return in_rounds(
        {name: lambda way=way: work.tokens / seconds(way) for name, way in ways.items()}  # type: ignore[misc]
    )


def in_rounds(ways: dict[str, Callable[[], float]]) -> list[Rates]:
    """Rates by way, in rounds, every other one in turned order."""
    orders = [list(ways)[:: -1 if number % 2 else 1] for number in range(ROUNDS)]
    return [{name: ways[name]() for name in order} for order in orders]


def ask_rates(model: Any, prompts: list[list[int]], ends: list[int]) -> list[Rates]:
    """New tokens a CPU second: our batches, and one left-padded batch that waits for the last."""
    decoding = Decoding(SETTINGS, ends, 0)
    answers: list[list[int]] = []

    def ours() -> None:
        answers.clear()
        for ended in answer_rows(model, prompts, [0] * len(prompts), decoding):
            answers.extend(ended.values())

    def plain() -> None:
        ids, mask = pad_left(prompts, 0, model.device)
        with torch.inference_mode():
            model.generate(
                ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False,
                eos_token_id=ends, pad_token_id=0,
            )  # fmt: skip

    ours()  # how many tokens there are, and what a first run pays for
    stops = [[n for n, token in enumerate(new) if token in ends] for new in answers]
    count = sum(min([*stop, len(new) - 1]) + 1 for stop, new in zip(stops, answers, strict=True))
    return in_rounds(
        {
            "ours": lambda: count / cpu_seconds(ours),
            "published": lambda: count / cpu_seconds(plain),
        }
    )


def lines(title: str, rounds: list[Rates]) -> list[str]:
    """Lines of the table: the median of the rounds, and how far they are apart."""
    rates = {name: median(each[name] for each in rounds) for name in rounds[0]}
    names = {
        "ours": "ours", "published": "padded batches", "trl": "TRL, packing",
        "padding_free": "TRL, padding-free",
    }  # fmt: skip
    return [
        f"| {title}, {names[name]} | {rate:.0f} | {rates['ours'] / rate:.2f} | "
        f"{results.noise(rounds):g} % |"
        for name, rate in rates.items()
    ]


@click.command()
@click.argument("model", type=Path)
@click.argument("rows", type=Path)
def main(model: Path, rows: Path) -> None:
    """Measure MODEL, a folder, on the demo's responses in ROWS; prints a table in Markdown."""
    warnings.simplefilter("ignore")
    import_libraries()
    make_deterministic(0, 1)
    source = ModelSource(str(model))
    tokenizer, first = read_tokenizer(source), read_weights(source, "float32")
    examples = encode(tokenizer, jsonl.read(rows, Response))
    work = Work(tokenizer, examples, BATCH, at_once=1)  # as students/smollm2-135m.yaml
    print(
        f"{len(examples)} samples of {work.tokens:,} tokens; of the padded batches "
        f"{work.useful:.0%} are useful\n"
    )
    columns = (
        "",
        "tokens a CPU second",
        "ours is so many times as fast",
        "the machine's own noise",
    )
    print(f"| {' | '.join(columns)} |\n|---|---|---|---|")
    for title, lora in (("LoRA", True), ("all weights", False)):
        print("\n".join(lines(title, train_rates(first, work, lora))), flush=True)
    prompts = [example.ids[: example.prompt_length] for example in examples[:ASKED]]
    ends = StudentPrompt.choose("chat", Path()).end_ids(tokenizer)
    print("\n".join(lines("answers", ask_rates(first.eval(), [*map(list, prompts)], ends))))


if __name__ == "__main__":
    main()
