"""How fast a model answers on a CPU: the published loop, one padded batch, and engine `batched`.

    python bench/generate.py

About eight minutes on two idle cores. All have the same weights and tasks and give the same
answers, token by token: that is checked first, in a process for each, where its memory is measured;
then come rounds in alternation. Loading the model is in none of the rates. Exits 1 if an answer
differs, if `batched` misses its target, or if it is slower than one padded batch by more than the
machine's own noise.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

import click
import results
import torch
from generate_ways import (
    THREADS,
    WAYS,
    Answer,
    Lengths,
    Way,
    Work,
    icliniq,
    make_work,
    medinstruct,
    tiny,
)
from rich.console import Console
from rich.table import Column, Table

from alpacare.compute.determinism import make_deterministic
from alpacare.compute.libraries import import_libraries
from alpacare.generation.batched import plan_batches

ROUNDS = 3
WARM = 8  # tasks that each way answers before the rounds
TARGET = 12.0  # times the published loop
TARGET_SET = "MedInstruct-test"
TASKS_LIKE: dict[str, Lengths] = {TARGET_SET: medinstruct, "iCliniq": icliniq}
Report = dict[str, Any]


def run_in_own_process(name: str, folder: Path) -> Report:
    """Answer in a process of its own: the answers, and its memory before and at most."""
    script = Path(__file__).with_name("generate_ways.py")
    command = [sys.executable, "-W", "ignore", str(script), name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr.strip() or done.returncode}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def differing(answers: dict[str, list[Any]]) -> dict[str, int]:
    """How many answers of each way differ from the published loop's, in tokens or finish reason.

    Not in text: the loop leaves the line break before an answer and the token that ended it.
    """
    first = answers["published"]
    return {
        name: sum(one[:2] != other[:2] for one, other in zip(given, first, strict=True))
        for name, given in answers.items()
        if name != "published"
    }


def measure(ways: dict[str, Way], work: Work) -> list[dict[str, float]]:
    """Seconds by way, in rounds, every other one in turned order."""
    rounds = []
    for number in range(ROUNDS):
        seconds = {}
        for name in list(ways)[:: -1 if number % 2 else 1]:
            start = time.perf_counter()
            ways[name](work.asked)
            seconds[name] = time.perf_counter() - start
        rounds.append(seconds)
    return rounds


def summarise(rounds: list[dict[str, float]], tokens: int) -> dict[str, Report]:
    """By way: new tokens a second, and how many times as fast as the published loop it was."""
    lines = {}
    for name in rounds[0]:
        rates = [round(tokens / each[name], 1) for each in rounds]
        ratios = [round(each["published"] / each[name], 2) for each in rounds]
        best = min(each["published"] for each in rounds) / min(each[name] for each in rounds)
        lines[name] = {
            "tokens_per_second": {"median": median(rates), "range": [min(rates), max(rates)]},
            "ratio": {"median": median(ratios), "range": [min(ratios), max(ratios)]},
            "best_to_best": round(best, 2),
        }
    return lines


def products(model: Any, rows: int) -> tuple[float, float]:
    """Seconds that a step's matrix products alone take for so many rows, and FLOPs a second."""
    weights = [layer.weight for layer in model.modules() if isinstance(layer, torch.nn.Linear)]
    pairs = [(torch.randn(rows, weight.shape[1]), weight) for weight in weights]
    seconds = []
    with torch.inference_mode():
        for _ in range(200):
            start = time.perf_counter()
            for inputs, weight in pairs:
                torch.nn.functional.linear(inputs, weight)
            seconds.append(time.perf_counter() - start)
    return min(seconds), 2 * rows * sum(weight.numel() for weight in weights) / min(seconds)


def steps(answers: list[Answer], batches: list[list[int]]) -> int:
    """Count the forward passes of batches, each as many as its longest answer has tokens."""
    new = [len(ids) + (reason == "stop") for ids, reason, _ in answers]
    return sum(max(new[place] for place in batch) for batch in batches)


def limit(model: Any, answers: list[Answer], batches: list[list[int]], rate: float) -> Report:
    """Where the time of a way goes that takes these batches and gives so many tokens/s."""
    count, rows = steps(answers, batches), round(mean(map(len, batches)))
    tokens = sum(len(ids) + (reason == "stop") for ids, reason, _ in answers)
    seconds, flops = products(model, rows)
    return {
        "rows": rows,
        "steps": count,
        "milliseconds_a_step": round(1e3 * tokens / rate / count, 2),
        "milliseconds_of_products": round(1e3 * seconds, 3),
        "products_gflops": round(flops / 1e9, 1),
        "products_tokens_per_second": round(rows / seconds),
    }


def describe(answers: list[Answer], work: Work, prompts: list[int]) -> Report:
    """What was asked and answered, in words and tokens."""
    words = [len(f"{instruction} {input}".split()) for instruction, input in work.asked]
    new = [len(ids) + (reason == "stop") for ids, reason, _ in answers]
    return {
        "tasks": len(work.asked),
        "words": {"mean": round(mean(words), 1), "most": max(words)},
        "prompt_tokens": {"mean": round(mean(prompts), 1), "most": max(prompts)},
        "new_tokens": {"sum": sum(new), "median": median(new), "most": work.most},
        "cut_off": round(mean(reason == "length" for _, reason, _ in answers), 3),
    }


def show(report: Report) -> None:
    asked, new = report["asked"], report["asked"]["new_tokens"]
    title = "{tasks} tasks of {words[mean]} words on average and {words[most]} at most"
    columns = ("new tokens/s", "ratio", "range", "best to best", "peak MB", "before")
    table = Table(Column(no_wrap=True), *columns, title=title.format(**asked))
    for name, line in report["ways"].items():
        ratio, used = line["ratio"], line["memory"]
        middle = (f"{ratio['median']:.2f}", "{:.2f} to {:.2f}".format(*ratio["range"]))
        sizes = (f"{used['peak']:.0f}", f"{used['before']:.0f}")
        rate = f"{line['tokens_per_second']['median']:,.0f}"
        table.add_row(name, rate, *middle, f"{line['best_to_best']:.2f}", *sizes)
    Console().print(table)
    print(
        f"batched is {report['to_one_batch']} times as fast as one padded batch; "
        f"{results.describe_noise(report['noise'])}"
    )
    print("same answers, token by token; before: memory with libraries and model, unasked")
    ended = f"{asked['cut_off']:.0%} of them cut off there, the others ended by themselves"
    print(f"answers: median {new['median']:.0f} tokens, {new['most']} at most, {ended}")
    for name, part in report["limit"].items():
        print(f"{name}: {describe_limit(part)}")


def describe_limit(part: Report) -> str:
    return (
        "{steps:,} steps of {milliseconds_a_step} ms; their matrix products alone would take "
        "{milliseconds_of_products} ms ({products_gflops} GFLOP/s) and give "
        "{products_tokens_per_second:,} tokens/s; {rows} rows a batch"
    ).format(**part)


def check_answers(work: Work) -> dict[str, Report]:
    """Memory and answers by way; ends the run if they are not the same answers."""
    found = {name: run_in_own_process(name, work.folder) for name in WAYS}
    for name, count in differing({name: each["answers"] for name, each in found.items()}).items():
        if count:
            sys.exit(f"{name}: {count} of {len(work.asked)} answers differ from the published loop")
    return found


def compare(work: Work) -> Report:
    """Measure all ways on one work; nothing unless the answers are the same."""
    found = check_answers(work)
    answers: list[Answer] = found["published"].pop("answers")
    ways, loading = {}, {}
    for name, load in WAYS.items():
        start = time.perf_counter()
        ways[name] = load(work)
        loading[name] = round(time.perf_counter() - start, 2)
        ways[name](work.asked[:WARM])
    asked = ways["batched"]
    prompts = [len(asked.prompt.encode(asked.tokenizer, *each)) for each in work.asked]
    lengths = describe(answers, work, prompts)
    rounds = measure(ways, work)
    lines = summarise(rounds, lengths["new_tokens"]["sum"])
    for name, line in lines.items():
        line["memory"] = {key: found[name][key] for key in ("before", "peak")}
        line["seconds_to_load"] = loading[name]
    plans = {
        "published": [[place] for place in range(len(prompts))],
        "batched": plan_batches(prompts, work.most, asked.job.settings.cache_tokens),
    }
    limits = {
        name: limit(asked.model, answers, batches, lines[name]["tokens_per_second"]["median"])
        for name, batches in plans.items()
    }
    settings = asked.job.settings.model_dump(include={"cache_tokens", "step_tokens"})
    parameters = asked.model.num_parameters()
    return {
        "parameters": parameters,
        **settings,
        "asked": lengths,
        "ways": lines,
        "limit": limits,
        "noise": results.noise(rounds),
        "to_one_batch": round(median(each["one batch"] / each["batched"] for each in rounds), 2),
    }


def figures(tasks: dict[str, Report]) -> results.Figures:
    """Medians by lengths and way, and where a step's time goes."""
    found = {}
    for name, part in tasks.items():
        for way, line in part["ways"].items():
            found[f"{name}, {way}, tokens/s"] = line["tokens_per_second"]["median"]
            if way != "published":
                found[f"{name}, {way}, times the loop"] = line["ratio"]["median"]
            found[f"{name}, {way}, peak MB"] = line["memory"]["peak"]
        found[f"{name}, batched, times one batch"] = part["to_one_batch"]
        found[f"{name}, noise, %"] = part["noise"]
        step = part["limit"]["batched"]
        found[f"{name}, batched, ms a step"] = step["milliseconds_a_step"]
        found[f"{name}, batched, ms of products a step"] = step["milliseconds_of_products"]
    return found


@click.command()
@results.save_option
def main(save: bool) -> None:
    """Measure the published loop, one padded batch and engine `batched` on this CPU."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # or the stage would take a GPU
    import_libraries()
    make_deterministic(0, THREADS)
    load = results.OtherLoad()
    tasks = {}
    for name, lengths in TASKS_LIKE.items():
        with tempfile.TemporaryDirectory() as folder:
            tasks[name] = compare(make_work(Path(folder), tiny(), lengths))
        print(f"as in {name}")
        show(tasks[name])
    print(load.describe())
    results.report("generate", figures(tasks), save)
    ratio = tasks[TARGET_SET]["ways"]["batched"]["ratio"]["median"]
    print(f"target: {TARGET:g} times the published loop, lengths as in {TARGET_SET}; here {ratio}")
    behind = [
        name for name, part in tasks.items() if part["to_one_batch"] < 1 - part["noise"] / 100
    ]
    for name in behind:
        print(f"{name}: slower than one padded batch: {tasks[name]['to_one_batch']} times as fast")
    sys.exit(ratio < TARGET or bool(behind))


if __name__ == "__main__":
    main()
