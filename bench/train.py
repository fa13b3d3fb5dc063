"""How fast training is: the published recipe, TRL's packing and ours, side by side on a CPU.

    python bench/train.py

Three minutes on two idle cores. All begin with the same weights and take the same samples; before
any speed is measured, each takes three steps of the same samples, and losses and weights are
compared. Exits 1 if they differ. TRL takes part where it is installed.
"""

import copy
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import median
from typing import Any

import click
import results
import torch
from rich.console import Console
from rich.table import Table
from torch.optim.optimizer import register_optimizer_step_post_hook
from torch.profiler import ProfilerActivity
from torch.profiler import profile as record
from train_ways import (
    ROW,
    Lengths,
    Way,
    Work,
    corpus,
    encode,
    even,
    make_student,
    ours,
    published,
    skewed,
    trl,
)
from transformers import Trainer

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.libraries import import_libraries
from alpacare.training.memory_estimate import ModelShape, flops_per_token

ROUNDS = 3
SAMPLES = 256
CHECKED = 16  # samples of the comparison, all of them in every step
TARGET = 1.9  # of docs/performance.md
CLOSE = 1e-5  # losses and weights
MOVED = 1e-4  # at least: or equal weights would show nothing
TRL = "trl==1.16.0"
THREADS = 2
KINDS = {  # operations of torch, by name
    "matrix products": r"::(add|b|badd)?mm",
    "attention": "scaled_dot_product",
    "loss": "softmax|nll_loss|cross_entropy",
    "optimiser": "adam|_foreach",
}
WAYS: dict[str, Way] = {"published": published, "trl": trl, "ours": ours}
Report = dict[str, Any]


@contextmanager
def clock(model: Any) -> Iterator[list[float]]:
    """Note when the first forward pass begins, and when each step of the optimiser ends."""
    marks: list[float] = []

    def begun(*_: Any) -> None:
        if not marks:
            marks.append(time.perf_counter())

    begin = model.register_forward_pre_hook(begun)
    end = register_optimizer_step_post_hook(lambda *_: marks.append(time.perf_counter()))
    try:
        yield marks
    finally:
        begin.remove()
        end.remove()


def run(way: Way, first: Any, work: Work) -> tuple[Trainer, float]:
    """Train a copy of the first weights; useful tokens a second."""
    model = copy.deepcopy(first)
    with tempfile.TemporaryDirectory() as folder, clock(model) as marks:
        trainer = way(model, work, folder)
    return trainer, work.tokens / (marks[-1] - marks[0])


def check_steps(ways: dict[str, Way], first: Any, work: Work) -> None:
    """End the run unless all ways, given the same steps, train to the same losses and weights."""
    trainers = {name: run(way, first, work)[0] for name, way in ways.items()}
    losses = {
        name: [log["loss"] for log in trainer.state.log_history if "loss" in log]
        for name, trainer in trainers.items()
    }
    weights = {name: dict(trainer.model.named_parameters()) for name, trainer in trainers.items()}
    assert _distance(dict(first.named_parameters()), weights["published"]) > MOVED
    for name in [name for name in ways if name != "published"]:
        pairs = zip(losses[name], losses["published"], strict=True)
        loss = max(abs(one - other) for one, other in pairs)
        weight = _distance(weights[name], weights["published"])
        print(f"{name}: losses within {loss:.1e}, weights within {weight:.1e}")
        if max(loss, weight) >= CLOSE:
            sys.exit(f"{name}: losses or weights differ from the published recipe's")


def _distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    return max(float((one[name] - other[name]).detach().abs().max()) for name in one)


def matmul_peak(shape: ModelShape) -> float:
    """FLOPs a second of the student's matrix products alone, forward, on one row."""
    maps = [*shape.linear_layers.values()] * shape.layers + [(shape.hidden_size, shape.vocab_size)]
    pairs = [(torch.randn(ROW, inputs), torch.randn(inputs, outputs)) for inputs, outputs in maps]
    seconds = []
    for _ in range(50):
        start = time.perf_counter()
        for inputs, weights in pairs:
            inputs @ weights
        seconds.append(time.perf_counter() - start)
    return sum(2 * ROW * inputs * outputs for inputs, outputs in maps) / min(seconds)


def measure(ways: dict[str, Way], first: Any, work: Work) -> list[dict[str, float]]:
    """Useful tokens a second by way, in rounds, every other one in turned order."""
    rounds = []
    for number in range(ROUNDS):
        order = list(ways)[:: -1 if number % 2 else 1]
        rounds.append({name: round(run(ways[name], first, work)[1], 1) for name in order})
    return rounds


def summarise(rounds: list[dict[str, float]], flops: float, peak: float) -> dict[str, Report]:
    """By way: useful tokens a second, their ratio to the published recipe's, use of the peak."""
    lines = {}
    for name in WAYS:
        if name in rounds[0]:
            rates = [each[name] for each in rounds]
            ratios = [round(each[name] / each["published"], 2) for each in rounds]
            best = max(rates) / max(each["published"] for each in rounds)
            lines[name] = {
                "tokens_per_second": {"median": median(rates), "range": [min(rates), max(rates)]},
                "ratio": {"median": median(ratios), "range": [min(ratios), max(ratios)]},
                "best_to_best": round(best, 2),
                "utilisation": round(median(rates) * flops / peak, 3),
            }
    return lines


def profile(way: Way, first: Any, work: Work) -> dict[str, float]:
    """Where the time of training goes, in %, by kind of operation, with torch's profiler on."""
    with record(activities=[ProfilerActivity.CPU]) as events:
        _, rate = run(way, first, work)
    shares = dict.fromkeys([*KINDS, "other operations"], 0.0)
    for event in events.key_averages():
        if event.key.startswith("aten::"):
            kinds = [kind for kind, names in KINDS.items() if re.search(names, event.key)]
            shares[kinds[0] if kinds else "other operations"] += event.self_cpu_time_total
    microseconds = 1e6 * work.tokens / rate
    found = {kind: round(100 * value / microseconds, 1) for kind, value in shares.items()}
    return found | {"Python and waiting": round(max(0.0, 100 - sum(found.values())), 1)}


def compare_speed(ways: dict[str, Way], lengths: Lengths, peak: float) -> Report:
    """Measure all ways on samples of such lengths."""
    tokenizer, examples = encode(corpus(SAMPLES, lengths))
    first, work = make_student(tokenizer), Work(tokenizer, examples)
    rounds = measure(ways, first, work)
    flops = flops_per_token(ModelShape.from_config(first.config), work.context)
    lines = summarise(rounds, flops, peak)
    return {
        "tokens": work.tokens,
        "useful": round(work.useful, 3),
        "ways": lines,
        "noise": results.noise(rounds),
        "profile": profile(ways["ours"], first, work),
    }


def show_lengths(title: str, part: Report) -> None:
    columns = ("", "useful tokens/s", "range", "ratio", "range", "best to best", "of the peak")
    table = Table(*columns, title=title)
    for name, line in part["ways"].items():
        rate, ratio = line["tokens_per_second"], line["ratio"]
        spread = "{:,.0f} to {:,.0f}".format(*rate["range"])
        ratios = "{:.2f} to {:.2f}".format(*ratio["range"])
        middle = (f"{rate['median']:,.0f}", spread, f"{ratio['median']:.2f}", ratios)
        table.add_row(name, *middle, f"{line['best_to_best']:.2f}", f"{line['utilisation']:.0%}")
    Console().print(table)
    print(results.describe_noise(part["noise"]))
    shares = ", ".join(f"{kind} {share:g} %" for kind, share in part["profile"].items())
    print(f"where the time of ours goes: {shares}")


def figures(lengths: dict[str, Report]) -> results.Figures:
    """Medians by lengths and way: rate, ratio to the recipe, share of the peak."""
    found = {}
    for name, part in lengths.items():
        for way, line in part["ways"].items():
            found[f"{name}, {way}, tokens/s"] = line["tokens_per_second"]["median"]
            if way != "published":
                found[f"{name}, {way}, times the recipe"] = line["ratio"]["median"]
            found[f"{name}, {way}, % of the peak"] = round(100 * line["utilisation"], 1)
        found[f"{name}, noise, %"] = part["noise"]
        for kind, share in part["profile"].items():
            found[f"{name}, ours, % of the time in {kind}"] = share
    return found


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Measure the published recipe, TRL's packing and ours on this CPU."""
    warnings.simplefilter("ignore", FutureWarning)
    import_libraries()
    make_deterministic(0, THREADS)
    ways = {name: way for name, way in WAYS.items() if name != "trl" or find_spec("trl")}
    if "trl" not in ways:
        print(f"TRL is not installed and left out; to compare with it: pip install {TRL}")
    load = results.OtherLoad()
    tokenizer, examples = encode(corpus(CHECKED, skewed))
    first = make_student(tokenizer)
    check_steps(ways, first, Work(tokenizer, examples, CHECKED, epochs=3))
    peak = matmul_peak(ModelShape.from_config(first.config))
    parts = {lengths.__name__: compare_speed(ways, lengths, peak) for lengths in (skewed, even)}
    for name, part in parts.items():
        title = f"{name} lengths, {part['useful']:.0%} of a padded batch is useful"
        show_lengths(title, part)
    print(load.describe())
    measured = {"matrix products, GFLOP/s": round(peak / 1e9, 1)} | figures(parts)
    results.report("train", measured, save)
    ratio = measured["skewed, ours, times the recipe"]
    print(f"target: {TARGET} times the recipe, skewed lengths, median; here {ratio}")


if __name__ == "__main__":
    main()
