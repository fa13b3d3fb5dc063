"""How long exact near-duplicate removal takes: rouge_score's own loop, brute force, and ours.

    python bench/filter.py [FILE] [--rows 52000] [--corpora] [--large]

Prints seconds and peak memory by size, the growth exponent, and whether all decisions on a sample
equal rouge_score's (if not: exit status 1). FILE is measured too: JSON Lines or a JSON array of
objects with `instruction`, or any other text, a row a line. What a row marked "extrapolated" shows
was measured on fewer rows and scaled with the number of pairs.
"""

import math
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import click
import numpy as np
import results
from filter_corpus import CORPORA, load
from rich.console import Console
from rich.table import Table

from alpacare.filtering.join_rows import encode_rows
from alpacare.filtering.near_duplicates import KeepFirst, KeepNone
from alpacare.filtering.rouge import scores
from alpacare.filtering.tokens import TokenNumbers, auto

THRESHOLD = 0.7  # AlpaCare's and Self-Instruct's
ROWS = 52_000  # as MedInstruct-52k
Source = int | str | tuple[str, int]  # so many rows, a file, or so many rows of a corpus
LARGE = (520_000, 1_000_000)
SAMPLE = 400  # rows for rouge_score: 79,800 pairs
BRUTE = 20_000  # rows for rapidfuzz's full matrix


def kept_first(texts: list[str]) -> int:
    return len(texts) - len(KeepFirst(THRESHOLD, auto).add(texts))


def kept_none(texts: list[str]) -> int:
    return len(texts) - len(KeepNone(THRESHOLD, auto).add(texts))


def decisions(texts: list[str]) -> dict[str, list[tuple[int, int, int, float]]]:
    """Give the rows that each rule drops, each with its matching pair and score."""
    rules = {"first": KeepFirst(THRESHOLD, auto), "none": KeepNone(THRESHOLD, auto)}
    return {
        keep: sorted((row, p.first, p.second, p.score) for row, p in rule.add(texts).items())
        for keep, rule in rules.items()
    }


def brute_force(texts: list[str]) -> int:
    """Count the rows near an earlier one, by rapidfuzz's whole matrix below the diagonal."""
    encoded, near = list(encode_rows(*TokenNumbers(auto).encode(texts))), 0
    for start in range(0, len(texts), 1024):
        rows = encoded[start : start + 1024]
        matrix = scores(rows, encoded[: start + len(rows)])
        near += int((np.tril(matrix, start - 1) > THRESHOLD).any(axis=1).sum())
    return near


def published_loop(texts: list[str]) -> dict[str, list[tuple[int, int, int, float]]]:
    """Decide as `decisions` does, by the function that the published scripts call."""
    from rouge_score.rouge_scorer import _score_lcs
    from rouge_score.tokenize import tokenize

    tokens = [tokenize(text, None) if text.isascii() else auto(text) for text in texts]
    first: dict[int, tuple[int, int, float]] = {}
    none: dict[int, tuple[int, int, float]] = {}
    for j in range(len(texts)):
        for i in range(j):
            score = _score_lcs(tokens[j], tokens[i]).fmeasure
            if score > THRESHOLD:
                for dropped, rows in ((none, (i, j)), (first, () if i in first else (j,))):
                    for row in rows:
                        if row not in dropped or score > dropped[row][2]:
                            dropped[row] = (i, j, score)
    return {
        keep: sorted((row, *pair) for row, pair in dropped.items())
        for keep, dropped in (("first", first), ("none", none))
    }


def measured(
    name: str, work: Callable[[list[str]], Any], source: Source, sample: int | None = None
) -> dict[str, Any]:
    """Run `work` in a process of its own, on the first `sample` texts if given."""
    print(f"{name}: {sample or source}", file=sys.stderr, flush=True)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result, texts, rows, seconds, peak = pool.apply(_run, (work, source, sample))
    scale = math.comb(texts, 2) / math.comb(rows, 2) if rows < texts else 1
    return {
        "method": name,
        "rows": texts,
        "seconds": round(seconds * scale, 2),
        "extrapolated_from": rows if rows < texts else None,
        "peak_gb": round(peak, 2),
        "result": result,
    }


def _run(work: Callable[[list[str]], Any], source: Source, sample: int | None) -> Any:
    texts = load(source)
    some = texts[:sample]
    start = time.perf_counter()
    result = work(some)
    seconds = time.perf_counter() - start
    unit = 2**30 if sys.platform == "darwin" else 2**20  # macOS counts bytes, Linux kilobytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return result, len(texts), len(some), seconds, peak


def compared(source: Source) -> dict[str, Any]:
    """Measure every method on one corpus, and compare decisions with rouge_score's on a sample."""
    runs = [
        measured("rouge_score's loop", published_loop, source, SAMPLE),
        measured("brute force, rapidfuzz", brute_force, source, BRUTE),
        measured("keep: first", kept_first, source),
        measured("keep: none", kept_none, source),
    ]
    ours = measured("the sample", decisions, source, SAMPLE)
    rows = ours["extrapolated_from"] or ours["rows"]
    theirs = runs[0].pop("result")
    return {
        "runs": runs,
        "sample": {
            "rows": rows,
            "pairs": math.comb(rows, 2),
            "dropped": {keep: len(rows) for keep, rows in theirs.items()},
            "equal": ours["result"] == theirs,
        },
    }


def exponent(runs: list[dict[str, Any]]) -> float:
    """Fit seconds = constant x rows ** exponent."""
    rows, seconds = ([math.log(run[key]) for run in runs] for key in ("rows", "seconds"))
    return round(float(np.polyfit(rows, seconds, 1)[0]), 2)


def show(title: str, runs: list[dict[str, Any]]) -> None:
    table = Table("method", "rows", "seconds", "peak GB", "", title=title, title_justify="left")
    for run in runs:
        sample = run["extrapolated_from"]
        note = f"extrapolated from {sample:,} rows" if sample else f"{run.get('result', 0):,} kept"
        peak = "" if sample else f"{run['peak_gb']:.2f}"
        table.add_row(run["method"], f"{run['rows']:,}", f"{run['seconds']:,.1f}", peak, note)
    Console().print(table)


def agreement(name: str, sample: dict[str, Any]) -> str:
    """Say whether the decisions on a sample are rouge_score's."""
    counts = sample["dropped"].items()
    dropped = ", ".join(f"keep: {keep} drops {count}" for keep, count in counts)
    equal = "equal rouge_score's" if sample["equal"] else "DIFFER from rouge_score's"
    return f"{name}: all decisions on {sample['pairs']:,} pairs ({dropped}) {equal}"


def figures(runs: list[dict[str, Any]]) -> results.Figures:
    """Seconds of each run, and its memory unless they were extrapolated."""
    found = {}
    for run in runs:
        name = f"{run['rows']:,} rows, {run['method']}"
        found[f"{name}, s"] = run["seconds"]
        if not run["extrapolated_from"]:
            found[f"{name}, GB"] = run["peak_gb"]
    return found


def growth(sizes: Sequence[int]) -> tuple[results.Figures, list[dict[str, Any]]]:
    """Measure and show how the time grows: the exponent, and the runs."""
    runs = [measured("keep: first", kept_first, size) for size in sizes]
    power = exponent(runs)
    show(f"seconds ~ rows ** {power}", runs)
    return {f"exponent, {sizes[0]:,} to {sizes[-1]:,} rows": power}, runs


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--rows", default=ROWS, show_default=True, help="Rows to generate.")
@click.option("--large", is_flag=True, help="520,000 and 1,000,000 rows too (minutes).")
@click.option("--corpora", is_flag=True, help="Corpora on which filters get slow, too.")
@results.save_option
def main(file: str | None, rows: int, large: bool, corpora: bool, save: bool) -> None:
    """Measure the filter on a generated corpus, and on FILE if given."""
    if save and rows != ROWS:
        raise click.UsageError(f"--save keeps figures of {ROWS:,} rows: leave out --rows")
    others: dict[str, Source] = {
        name: (name, rows) for name in CORPORA if name != "instructions" and corpora
    }
    made = {
        name: compared(source)
        for name, source in ({"generated": rows, "file": file} | others).items()
        if source
    }
    for name, part in made.items():
        show(agreement(name, part["sample"]), part["runs"])
    power, _ = growth((rows // 2, rows, 2 * rows))
    if not all(part["sample"]["equal"] for part in made.values()):
        raise SystemExit(1)
    results.report("filter", figures(made["generated"]["runs"]) | power, save)
    if large:
        power, runs = growth(LARGE)
        results.report("filter, large", figures(runs) | power, save)


if __name__ == "__main__":
    main()
