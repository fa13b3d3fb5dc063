"""How fast a LLaMA-7B of random weights answers on one GPU: published loop, our engines, vLLM.

    python bench/generate_gpu.py

Each way runs in a process of its own, so that memory of one is not the next one's; one that fails
is a line under the table. vLLM takes part where it is installed. In 16 bits ways round differently:
answers are not the same, but all end by the same rule. --shape tiny runs the same code in two
minutes, on a CPU too, and its figures mean nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median
from typing import Any

import click
import results
import torch
from generate_ways import Answer, Asked, Ours, Published, Way, Work, make_work, medinstruct, tiny
from rich.console import Console
from rich.table import Column, Table
from transformers import LlamaConfig

from alpacare.compute.libraries import import_libraries
from alpacare.generation.model import ModelSource, load_tokenizer
from alpacare.training.memory_estimate import PEAK_FLOPS, ModelShape, flops_per_token

SHAPES: dict[str, Callable[[], LlamaConfig]] = {"7b": LlamaConfig, "tiny": tiny}
FEW = 16  # tasks for the published loop, whose pace does not depend on how many there are
CACHE = {"cache_tokens": 131_072, "step_tokens": 4096}  # 69 GB of a 7B in 16 bits
Line = dict[str, Any]


class VLLM:
    """vLLM in this process, as it comes."""

    def __init__(self, work: Work) -> None:
        os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] = "0"  # or its memory is not this process's
        from vllm import LLM, SamplingParams

        self.tokenizer = load_tokenizer(ModelSource(str(work.folder)))
        self.prompt = work.prompt
        self.model = LLM(model=str(work.folder), dtype="bfloat16", enable_prefix_caching=False)
        # the model's further ends of text are taken from its generation_config.json
        self.sampling = SamplingParams(temperature=0.0, max_tokens=work.most)

    def __call__(self, asked: Sequence[Asked]) -> list[Answer]:
        prompts = [self.prompt.encode(self.tokenizer, *each) for each in asked]
        tokens = [{"prompt_token_ids": ids} for ids in prompts]
        given = [each.outputs[0] for each in self.model.generate(tokens, self.sampling)]
        return [(list(each.token_ids), each.finish_reason, each.text) for each in given]


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def dtype(half: str) -> str:
    return half if torch.cuda.is_available() else "float32"


def ours(work: Work, engine: str, **changes: Any) -> Way:
    return Ours(work, engine, dtype=dtype("bfloat16"), **changes)


WAYS: dict[str, Callable[[Work], Way]] = {
    "published, float16": lambda work: Published(work, dtype("float16"), device()),
    "batched, 16k": partial(ours, engine="batched", cache_tokens=16_384),
    "batched, 128k": partial(ours, engine="batched", **CACHE),
    "continuous, 128k": partial(ours, engine="continuous", **CACHE),
    "vLLM": VLLM,
}


def measure(way: str, folder: Path) -> Line:
    """Answer in this process, after some tasks that are not counted."""
    work = Work.read(folder)
    answer = WAYS[way](work)
    asked = work.asked[: FEW if way.startswith("published") else None]
    answer(asked[:FEW])
    start = time.perf_counter()
    answers = answer(asked)
    seconds = time.perf_counter() - start
    new = [len(ids) + (reason == "stop" and way != "vLLM") for ids, reason, _ in answers]
    on_gpu = torch.cuda.is_available()
    name = torch.cuda.get_device_name(0) if on_gpu else "cpu"
    prompts = [len(work.prompt.encode(answer.tokenizer, *each)) for each in asked]
    lengths = [prompt + count for prompt, count in zip(prompts, new, strict=True)]
    return {
        "way": way,
        "tasks": len(asked),
        "tokens_per_second": round(sum(new) / seconds),
        "median_tokens": median(new),
        "cut_off": round(mean(reason == "length" for _, reason, _ in answers), 3),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1) if on_gpu else None,
        "utilisation": utilisation(folder, lengths, seconds, name),
        "device": name,
    }


def utilisation(folder: Path, lengths: list[int], seconds: float, device: str) -> float | None:
    """Model FLOPs utilisation of reading and answering; None for a device of unknown peak.

    A third of what training takes for the same tokens (`flops_per_token` names the sources).
    """
    peak = next((peak for name, peak in PEAK_FLOPS.items() if name in device), None)
    if peak is None:
        return None
    shape = ModelShape.from_config(LlamaConfig.from_pretrained(folder))
    context = sum(length * length for length in lengths) / sum(lengths)
    flops = flops_per_token(shape, context) / 3 * sum(lengths)
    return round(flops / seconds / peak, 4)


def run_in_own_process(way: str, folder: str, shape: str) -> Line:
    """Do one thing in a process of its own; a failure is a line too."""
    print(way, file=sys.stderr, flush=True)
    command = [sys.executable, __file__, "--shape", shape, "--way", way, folder]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    last = (done.stdout if done.returncode == 0 else done.stderr).strip().split("\n")[-1]
    return dict(json.loads(last)) if done.returncode == 0 else {"way": way, "failed": last[:300]}


def show(lines: list[Line]) -> None:
    columns = ("new tokens/s", "to published", "of peak FLOPs", "median tokens", "cut off", "GB")
    table = Table(Column(no_wrap=True), *columns)
    done = [each for each in lines if "failed" not in each]
    first = next((x["tokens_per_second"] for x in done if x["way"].startswith("published")), None)
    for each in done:
        rate, used = each["tokens_per_second"], each["peak_gb"]
        ratio = f"{rate / first:.1f}" if first else ""
        share = f"{each['utilisation']:.1%}" if each["utilisation"] else "not known"
        counts = (f"{each['median_tokens']:.0f}", f"{each['cut_off']:.0%}")
        cells = (f"{rate:,}", ratio, share, *counts)
        table.add_row(each["way"], *cells, f"{used}" if used else "not known")
    Console().print(table)
    print(
        "of peak FLOPs: model FLOPs utilisation = tokens/s, read and new, x FLOPs a token / peak\n"
        "(Chowdhery et al. 2022, arXiv 2204.02311, appendix B): 2 a weight, and attention"
    )
    for each in lines:
        if "failed" in each:
            print(f"{each['way']}: failed: {each['failed']}")


def measure_all(shape: str) -> tuple[list[Line], str]:
    with tempfile.TemporaryDirectory() as folder:
        made = run_in_own_process("model", folder, shape)
        if "failed" in made:
            return [made], ""
        here = [way for way in WAYS if way != "vLLM" or find_spec("vllm")]
        if "vLLM" not in here:
            print("vLLM is not installed and left out; to compare with it: pip install vllm")
        return results.run_ways(here, lambda way: run_in_own_process(way, folder, shape))


@click.command()
@click.option("--shape", type=click.Choice(list(SHAPES)), default="7b", show_default=True)
@click.option("--way", nargs=2, hidden=True, help="A way, or `model` to make it, and a folder.")
@results.save_option
def main(shape: str, way: tuple[str, str] | None, save: bool) -> None:
    """Measure each way of answering on this machine's GPU."""
    import_libraries()
    if shape == "7b" and not torch.cuda.is_available():
        print("this needs a GPU, and torch finds none; --shape tiny runs on a CPU", file=sys.stderr)
        sys.exit(2)
    if way and way[0] == "model":
        make_work(Path(way[1]), SHAPES[shape](), medinstruct, getattr(torch, dtype("bfloat16")))
        print("{}")
    elif way:
        print(json.dumps(measure(way[0], Path(way[1]))))
    else:
        lines, noise = measure_all(shape)
        show(lines)
        print(noise)
        if shape == "7b":
            results.report_gpu("generate_gpu", lines, save)


if __name__ == "__main__":
    main()
