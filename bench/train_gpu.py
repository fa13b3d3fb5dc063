"""How fast a LLaMA-7B of random weights is trained on one GPU: padded, packed, compiled, varlen.

    python bench/train_gpu.py [--profile WAY]

Each way runs in a process of its own, so that memory and compiled code of one are not the next
one's; one that fails is a line under the table. --profile shows instead where the time of one way
goes. --shape tiny runs the same code in a minute, on a CPU too, and its figures mean nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import click
import numpy as np
import results
import train_gpu_kernels
from rich.console import Console
from rich.table import Table
from train_gpu_model import make_model, no_weights_written
from train_ways import AT_ONCE, BATCH, make_job, make_settings, sequences_per_step, skewed

from alpacare.training.data import pack_examples
from alpacare.training.memory_estimate import LLAMA_7B, ModelShape, estimate_memory
from alpacare.training.packing import Example
from alpacare.training.sequences import PackedSequences
from alpacare.training.settings import CheckpointSettings

SHAPES = {"7b": LLAMA_7B, "tiny": replace(LLAMA_7B, hidden_size=64, layers=2, heads=4, kv_heads=4,
    head_size=16, intermediate_size=172, vocab_size=512)}  # fmt: skip
LORA = {"rank": 16, "alpha": 32, "dropout": 0.05, "targets": "all-linear"}
WAYS: dict[str, dict[str, Any]] = {
    "padded": {"packing": False},
    "packed": {},
    "packed, compiled": {"compile": True},
    "packed, compiled, Liger": {"compile": True, "liger": True},
    "varlen, compiled, fused loss": {"compile": True},
    "varlen, compiled, fused loss, nothing twice": {
        "compile": True,
        "gradient_checkpointing": False,
    },
    "packed, LoRA": {"lora": LORA, "gradient_checkpointing": False},
}
ROW = 1024
TOKENS_A_WORD = 1.4  # of LLaMA's tokenizer in English medical text, roughly
FRAME = 45  # tokens of the prompt's fixed words
GOAL = 0.55  # model FLOPs utilisation of the best way on one H200
STEPS = 8  # the first is not counted: it compiles
MEMORY_SHARE = 0.9  # share of the device's memory that the estimate may fill
Line = dict[str, Any]


def examples(count: int, vocabulary: int) -> list[Example]:
    """Random tokens, as many as MedInstruct's words would be."""
    draw = np.random.default_rng(0)
    made = []
    for _ in range(count):
        instruction, input, output = skewed(draw)
        prompt = FRAME + round(TOKENS_A_WORD * (instruction + input))
        size = min(ROW, prompt + round(TOKENS_A_WORD * output))
        made.append(Example(draw.integers(3, vocabulary, size).tolist(), prompt, truncated=False))
    return made


def fit_settings(way: str, shape: ModelShape, device_bytes: int | None) -> CheckpointSettings:
    """A way's settings, with the micro batch that fits by estimate (padded: as published)."""
    full = {"max_seq_length": ROW, "gradient_checkpointing": True}
    settings = make_settings(**full | WAYS[way])
    values = settings.model_dump()
    values["dtype"] = "bfloat16" if device_bytes else "float32"
    if not settings.packing:
        values["micro_batch_size"] = AT_ONCE
    elif device_bytes:
        sizes = [{"micro_batch_size": size} for size in (16, 8, 4, 2, 1)]
        limit = MEMORY_SHARE * device_bytes
        values |= next(
            (one for one in sizes if needed(values | one, shape, fused(way)) <= limit), sizes[-1]
        )
    return CheckpointSettings(**values)


def fused(way: str) -> bool:
    """Whether a way takes its attention and loss from train_gpu_kernels.py."""
    return way.startswith("varlen")


def needed(values: Line, shape: ModelShape, fused: bool = False) -> int:
    """Bytes that training takes by estimate; `fused`: all logits are never there at once."""
    return estimate_memory(
        shape,
        micro_batch_size=values["micro_batch_size"],
        seq_length=ROW,
        dtype=values["dtype"],
        lora_rank=values["lora"]["rank"] if values["lora"] else None,
        gradient_checkpointing=values["gradient_checkpointing"],
        accumulating=True,
        liger=values["liger"] or fused,
    ).total


def measure(way: str, shape: ModelShape) -> Line:
    """Train some steps in this process, with the function that the stage `checkpoint` uses."""
    import torch

    from alpacare.compute.libraries import import_libraries
    from alpacare.training.trainer import train

    import_libraries()
    on_gpu = torch.cuda.is_available()
    size = torch.cuda.get_device_properties(0).total_memory if on_gpu else None
    settings = fit_settings(way, shape, size)
    batch = BATCH if shape == LLAMA_7B else AT_ONCE
    sequences = pack_examples(examples(STEPS * batch, shape.vocab_size), settings)
    # a multiple, or fewer sequences than fit would be taken at once
    micro_batch = settings.micro_batch_size
    per_step = micro_batch * max(1, sequences_per_step(sequences, batch) // micro_batch)
    sequences = sequences[: len(sequences) // per_step * per_step]
    job = make_job(settings, per_step, 0, cpu=not on_gpu)
    kernels = train_gpu_kernels.collate_varlen() if fused(way) else nullcontext()
    with tempfile.TemporaryDirectory() as folder, no_weights_written(), kernels:
        model = make_model(shape, settings, fused(way))
        arrays, none = PackedSequences.of(sequences), PackedSequences.of([])
        trainer, throughput = train(model, arrays, none, job, Path(folder), Event())
    measured = throughput.summary(trainer.args)
    return {
        "way": way,
        "micro_batch_size": trainer.args.per_device_train_batch_size,
        "estimated_gb": round(needed(settings.model_dump(), shape, fused(way)) / 1e9, 1),
        "peak_gb": round(measured["peak_bytes"] / 1e9, 1),
        "tokens_per_second": measured["tokens_per_second"],
        "utilisation": measured["utilisation"],
        "device": measured["name"],
    }


def run_in_own_process(way: str, shape: str) -> Line:
    """Measure in a process of its own; a failure is a line too."""
    print(way, file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--shape", shape, "--way", way]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    last = (done.stdout if done.returncode == 0 else done.stderr).strip().split("\n")[-1]
    return dict(json.loads(last)) if done.returncode == 0 else {"way": way, "failed": last[:300]}


def profile(way: str, shape: ModelShape) -> None:
    """Print where the time of one way goes, kernel by kernel."""
    from torch.profiler import profile as record

    with record() as events:
        measure(way, shape)
    key = "self_device_time_total" if any(
        event.self_device_time_total for event in events.key_averages()
    ) else "self_cpu_time_total"  # fmt: skip
    print(events.key_averages().table(sort_by=key, row_limit=25, max_name_column_width=60))


def show(lines: list[Line]) -> None:
    columns = (
        "sequences at once",
        "useful tokens/s",
        "to padded",
        "of peak FLOPs",
        "GB",
        "by estimate",
    )
    table = Table("", *columns)
    padded = next(
        (each.get("tokens_per_second") for each in lines if each["way"] == "padded"), None
    )
    for each in lines:
        if "failed" in each:
            continue
        rate, used = each["tokens_per_second"], each["utilisation"]
        table.add_row(
            each["way"],
            str(each["micro_batch_size"]),
            f"{rate:,}",
            f"{rate / padded:.2f}" if padded else "",
            f"{used:.1%}" if used else "not known",
            f"{each['peak_gb']}",
            f"{each['estimated_gb']}",
        )
    Console().print(table)
    print(
        "of peak FLOPs: model FLOPs utilisation = useful tokens/s x FLOPs a token / peak\n"
        "(Chowdhery et al. 2022, arXiv 2204.02311, appendix B); FLOPs a token: 6 a weight, and\n"
        f"attention; what is computed twice does not count. The goal on one H200 is {GOAL:.0%}."
    )
    for each in lines:
        if "failed" in each:
            print(f"{each['way']}: failed: {each['failed']}")


@click.command()
@click.option("--shape", type=click.Choice(list(SHAPES)), default="7b", show_default=True)
@click.option("--profile", "profiled", type=click.Choice(list(WAYS)), help="Show its kernels.")
@click.option("--way", type=click.Choice(list(WAYS)), hidden=True)
@results.save_option
def main(shape: str, profiled: str | None, way: str | None, save: bool) -> None:
    """Measure each way of training on this machine's GPU."""
    import torch

    if shape == "7b" and not torch.cuda.is_available():
        print("this needs a GPU, and torch finds none; --shape tiny runs on a CPU", file=sys.stderr)
        sys.exit(2)
    if way:
        print(json.dumps(measure(way, SHAPES[shape])))
    elif profiled:
        profile(profiled, SHAPES[shape])
    else:
        lines, noise = results.run_ways(list(WAYS), lambda way: run_in_own_process(way, shape))
        show(lines)
        print(noise)
        if shape == "7b":
            results.report_gpu("train_gpu", lines, save)


if __name__ == "__main__":
    main()
