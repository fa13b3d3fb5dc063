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
from typing import Any

import click
import torch
from train_ways import ROW, WAYS, Work, trl_padding_free

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.pretrained import ModelSource, read_tokenizer
from alpacare.compute.weights import read_weights
from alpacare.core import jsonl
from alpacare.core.progress import quiet_libraries
from alpacare.generation.batched import answer_batch, pad_left, plan_batches
from alpacare.generation.settings import Decoding, GenerationsSettings
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.records.response import Response
from alpacare.training.packing import Example, encode_example

SAMPLES, BATCH = 8, 8
ROUNDS = 1
ASKED, NEW_TOKENS = 12, 64
LORA = {"r": 16, "lora_alpha": 32, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
SETTINGS = GenerationsSettings(
    engines=["batched"], servers=[], workers=1, max_new_tokens=NEW_TOKENS, temperature=0.0,
    top_p=1.0, seed=0, cache_tokens=4096, step_tokens=512, dtype="float32", threads=1,
)  # fmt: skip


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


def train_rates(first: Any, work: Work, lora: bool) -> dict[str, float]:
    """The best useful tokens a CPU second of each way; building a Trainer counts for all."""
    from peft import LoraConfig, get_peft_model

    best: dict[str, float] = {}
    ways = {**WAYS, "padding_free": trl_padding_free}
    if not find_spec("trl"):
        ways = {name: ways[name] for name in ("published", "ours")}
    for number in range(ROUNDS):
        for name in list(ways)[:: -1 if number % 2 else 1]:
            model = copy.deepcopy(first)
            if lora:
                model = get_peft_model(model, LoraConfig(**LORA))
            with tempfile.TemporaryDirectory() as folder:
                seconds = cpu_seconds(lambda: ways[name](model, work, folder))  # noqa: B023
            best[name] = max(best.get(name, 0.0), work.tokens / seconds)
    return best


def ask_rates(model: Any, prompts: list[list[int]], ends: list[int]) -> dict[str, float]:
    """New tokens a CPU second: our batches, and one left-padded batch that waits for the last."""
    decoding, count = Decoding(SETTINGS, ends, 0), 0

    def ours() -> None:
        nonlocal count
        for batch in plan_batches([*map(len, prompts)], NEW_TOKENS, SETTINGS.cache_tokens):
            for new in answer_batch(model, [prompts[p] for p in batch], [0] * len(batch), decoding):
                stop = next((n for n, token in enumerate(new) if token in ends), len(new) - 1)
                count += stop + 1

    def plain() -> None:
        ids, mask = pad_left(prompts, 0, model.device)
        with torch.inference_mode():
            model.generate(
                ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False,
                eos_token_id=ends, pad_token_id=0,
            )  # fmt: skip

    seconds = cpu_seconds(ours)
    return {"ours": count / seconds, "published": count / cpu_seconds(plain)}


def lines(title: str, rates: dict[str, float]) -> list[str]:
    mine = rates["ours"]
    names = {
        "ours": "ours", "published": "padded batches", "trl": "TRL, packing",
        "padding_free": "TRL, padding-free",
    }  # fmt: skip
    return [
        f"| {title}, {names[name]} | {rate:.0f} | {mine / rate:.2f} |"
        for name, rate in rates.items()
    ]


@click.command()
@click.argument("model", type=Path)
@click.argument("rows", type=Path)
def main(model: Path, rows: Path) -> None:
    """Measure MODEL, a folder, on the demo's responses in ROWS; prints a table in Markdown."""
    warnings.simplefilter("ignore")
    quiet_libraries()
    make_deterministic(0, 1)
    source = ModelSource(str(model))
    tokenizer, first = read_tokenizer(source), read_weights(source, "float32")
    examples = encode(tokenizer, jsonl.read(rows, Response))
    work = Work(tokenizer, examples, BATCH, at_once=1)  # as students/smollm2-135m.yaml
    print(
        f"{len(examples)} samples of {work.tokens:,} tokens; of the padded batches "
        f"{work.useful:.0%} are useful\n"
    )
    print("| | tokens a CPU second | ours is so many times as fast |\n|---|---|---|")
    for title, lora in (("LoRA", True), ("all weights", False)):
        print("\n".join(lines(title, train_rates(first, work, lora))), flush=True)
    prompts = [example.ids[: example.prompt_length] for example in examples[:ASKED]]
    ends = StudentPrompt.choose("chat", Path()).end_ids(tokenizer)
    print("\n".join(lines("answers", ask_rates(first.eval(), [*map(list, prompts)], ends))))


if __name__ == "__main__":
    main()
