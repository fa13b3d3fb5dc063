"""How long exact near-duplicate removal takes: rouge_score's own loop, brute force, and ours.

    python bench/filter.py [FILE] [--rows 52000] [--large]

Prints a table and writes bench/filter.json: seconds and peak memory by size, the growth exponent,
and whether all decisions on a sample equal rouge_score's (if not: exit status 1). FILE is measured
too: JSON Lines or a JSON array of objects with `instruction`, or any other text, a row a line.
--large measures 520,000 and 1,000,000 rows too; without it, what the last --large measured is kept.
What a row marked "extrapolated" shows was measured on fewer rows and scaled with the number of
pairs.
"""

import json
import math
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from alpacare.filtering.near_duplicates import KeepFirst, KeepNone
from alpacare.filtering.rouge import encode, scores
from alpacare.filtering.tokens import latin

THRESHOLD = 0.7  # AlpaCare's and Self-Instruct's
LARGE = (520_000, 1_000_000)
SAMPLE = 400  # rows for rouge_score: 79,800 pairs
BRUTE = 20_000  # rows for rapidfuzz's full matrix

OPENERS = """
explain how|describe why|what is the|list three signs of|summarize the evidence for|which of the
compare the effects of|write a short note about|give advice to a patient with|name the risks of
outline the treatment of|classify the following findings as|rewrite this report on|calculate the
what questions should be asked about|predict the course of|discuss when to refer|counsel a family on
identify the most likely cause of|draft a discharge letter for|how would you respond to
"""
LINKS = "of in with after during and the a for on to from by without under before or as"
STEMS = """
cardi neur nephr hepat gastr derm oste arthr pulm hem my ophthalm ot rhin laryng bronch ven angi
enter col prostat cyst uter ovari thyr adren psych encephal myel lymph splen pancreat chol lith glyc
natr kal calc lip prote toxic bacter vir myc onc carcin sarc fibr scler sten thromb
"""
MIDDLES = "o io ico ato oso ino eno alo uro emo opo ido ano a"
ENDINGS = """
itis osis oma pathy ectomy scopy gram logy algia emia uria plegia trophy plasty tomy genesis lysis
penia rrhea stasis therapy metry cele ptysis phagia pnea al ic ary ous ive ed
"""


def corpus(rows: int) -> list[str]:
    """Recombine medical phrases: 18 words on average, 15 % near-duplicates, the same every time.

    Words and phrases are drawn by Zipf's law, so that rows share openers, common words and whole
    phrases without being near each other.
    """
    draw = np.random.default_rng(0)
    parts = product(STEMS.split(), MIDDLES.split(), ENDINGS.split())
    words = sorted(map("".join, parts), key=lambda _: draw.random())
    openers = [opener.split() for opener in OPENERS.strip().replace("\n", "|").split("|")]
    phrases = list(_phrases(words, draw))
    lengths = np.maximum(4, draw.normal(18, 6, rows)).astype(int).tolist()
    picks = _zipf(len(phrases), 0.8, draw)
    texts: list[list[str]] = []
    for length, near, opener in zip(
        lengths, draw.random(rows).tolist(), draw.integers(len(openers), size=rows), strict=True
    ):
        if texts and near < 0.15:
            texts.append(_edited(texts[draw.integers(len(texts))], words, draw))
            continue
        text = openers[opener]
        while len(text) < length:
            text = text + phrases[next(picks)]
        texts.append(text[:length])
    return [" ".join(text) for text in texts]


def _zipf(size: int, power: float, draw: np.random.Generator) -> Iterator[int]:
    """Draw numbers below `size`, each with a weight of 1 / (number + 1) ** power."""
    weights = np.arange(1, size + 1) ** -power
    while True:
        yield from draw.choice(size, 1 << 16, p=weights / weights.sum()).tolist()


def _phrases(words: list[str], draw: np.random.Generator) -> Iterator[list[str]]:
    picks, links = _zipf(len(words), 1.0, draw), LINKS.split()
    for length, link in draw.integers((2, 0), (5, 2 * len(links)), size=(20_000, 2)).tolist():
        yield [*links[link : link + 1], *(words[next(picks)] for _ in range(length))]


def _edited(text: list[str], words: list[str], draw: np.random.Generator) -> list[str]:
    """Change up to three words: replaced, removed or added."""
    text = list(text)
    for _ in range(draw.integers(4)):
        place = int(draw.integers(len(text)))
        removed, added = ((1, 1), (1, 0), (0, 1))[draw.integers(3 if len(text) > 4 else 1)]
        text[place : place + removed] = [words[draw.integers(len(words))]] * added
    return text


def load(source: int | str) -> list[str]:
    """Make so many rows, or read a file's instructions."""
    if isinstance(source, int):
        return corpus(source)
    text = Path(source).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in lines]
        return [row["instruction"] for row in rows]
    except (ValueError, TypeError, KeyError):
        return lines


def kept_first(texts: list[str]) -> int:
    return len(texts) - len(KeepFirst(THRESHOLD, latin).add(texts))


def kept_none(texts: list[str]) -> int:
    return len(texts) - len(KeepNone(THRESHOLD, latin).add(texts))


def decisions(texts: list[str]) -> dict[str, list[tuple[int, int, int, float]]]:
    """Tell under both rules which rows go, each with its witness pair and score."""
    rules = {"first": KeepFirst(THRESHOLD, latin), "none": KeepNone(THRESHOLD, latin)}
    return {
        keep: sorted((row, p.first, p.second, p.score) for row, p in rule.add(texts).items())
        for keep, rule in rules.items()
    }


def brute_force(texts: list[str]) -> int:
    """Count the rows near an earlier one, by rapidfuzz's whole matrix below the diagonal."""
    encoded, near = encode(texts), 0
    for start in range(0, len(texts), 1024):
        rows = encoded[start : start + 1024]
        matrix = scores(rows, encoded[: start + len(rows)])
        near += int((np.tril(matrix, start - 1) > THRESHOLD).any(axis=1).sum())
    return near


def published_loop(texts: list[str]) -> dict[str, list[tuple[int, int, int, float]]]:
    """Decide as `decisions` does, by the function that the published scripts call."""
    from rouge_score.rouge_scorer import _score_lcs
    from rouge_score.tokenize import tokenize

    tokens = [tokenize(text, None) for text in texts]
    first: dict[int, tuple[int, int, float]] = {}
    none: dict[int, tuple[int, int, float]] = {}
    for j in range(len(texts)):
        for i in range(j):
            score = _score_lcs(tokens[j], tokens[i]).fmeasure
            if score > THRESHOLD:
                for gone, rows in ((none, (i, j)), (first, () if i in first else (j,))):
                    for row in rows:
                        if row not in gone or score > gone[row][2]:
                            gone[row] = (i, j, score)
    return {
        keep: sorted((row, *pair) for row, pair in gone.items())
        for keep, gone in (("first", first), ("none", none))
    }


def measured(
    name: str, work: Callable[[list[str]], Any], source: int | str, sample: int | None = None
) -> dict[str, Any]:
    """Run `work` alone in a fresh process, on the first `sample` texts if given."""
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


def _run(work: Callable[[list[str]], Any], source: int | str, sample: int | None) -> Any:
    texts = load(source)
    some = texts[:sample]
    start = time.perf_counter()
    result = work(some)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return result, len(texts), len(some), seconds, peak


def compared(source: int | str) -> dict[str, Any]:
    """Measure every method on one corpus, and compare decisions with rouge_score's on a sample."""
    runs = [
        measured("rouge_score's loop", published_loop, source, SAMPLE),
        measured("brute force, rapidfuzz", brute_force, source, BRUTE),
        measured("ours, keep: first", kept_first, source),
        measured("ours, keep: none", kept_none, source),
    ]
    ours = measured("ours, the sample", decisions, source, SAMPLE)
    rows = ours["extrapolated_from"] or ours["rows"]
    theirs = runs[0].pop("result")
    return {
        "runs": runs,
        "sample": {
            "rows": rows,
            "pairs": math.comb(rows, 2),
            "gone": {keep: len(gone) for keep, gone in theirs.items()},
            "equal": ours["result"] == theirs,
        },
    }


def exponent(runs: list[dict[str, Any]]) -> float:
    """Fit seconds = constant x rows ** exponent."""
    rows, seconds = ([math.log(run[key]) for run in runs] for key in ("rows", "seconds"))
    return round(float(np.polyfit(rows, seconds, 1)[0]), 2)


def growth(sizes: Iterable[int]) -> dict[str, Any]:
    """Measure how the time grows with the number of rows."""
    runs = [measured("ours, keep: first", kept_first, size) for size in sizes]
    return {"runs": runs, "exponent": exponent(runs), "date": time.strftime("%Y-%m-%d")}


def show(title: str, runs: list[dict[str, Any]]) -> None:
    table = Table("method", "rows", "seconds", "peak GB", "", title=title, title_justify="left")
    for run in runs:
        sample = run["extrapolated_from"]
        note = f"extrapolated from {sample:,} rows" if sample else f"{run.get('result', 0):,} kept"
        peak = "" if sample else f"{run['peak_gb']:.2f}"
        table.add_row(run["method"], f"{run['rows']:,}", f"{run['seconds']:,.1f}", peak, note)
    Console().print(table)


def verdict(name: str, sample: dict[str, Any]) -> str:
    """Say whether the decisions on a sample are rouge_score's."""
    gone = ", ".join(f"{count} go by keep: {keep}" for keep, count in sample["gone"].items())
    equal = "equal rouge_score's" if sample["equal"] else "DIFFER from rouge_score's"
    return f"{name}: all decisions on {sample['pairs']:,} pairs ({gone}) {equal}"


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--rows", default=52_000, show_default=True, help="Rows to generate.")
@click.option("--large", is_flag=True, help="520,000 and 1,000,000 rows too (minutes).")
def main(file: str | None, rows: int, large: bool) -> None:
    """Measure the filter on a generated corpus, and on FILE if given."""
    path = Path(__file__).with_suffix(".json")
    before = json.loads(path.read_text()) if path.exists() else {}
    result: dict[str, Any] = {"threshold": THRESHOLD, "cores": os.cpu_count()}
    for name, source in {"generated": rows, "file": file}.items():
        if source is not None:
            result[name] = compared(source)
            show(verdict(name, result[name]["sample"]), result[name]["runs"])
    result["growth"] = growth([rows // 2, rows, 2 * rows])
    result["large"] = growth(LARGE) if large else before.get("large")
    for name in ("growth", "large"):
        if result[name]:
            exponent, date = result[name]["exponent"], result[name]["date"]
            show(f"{name}, {date}: seconds ~ rows ** {exponent}", result[name]["runs"])
    path.write_text(json.dumps(result, indent=2) + "\n")
    if not all(result[name]["sample"]["equal"] for name in ("generated", "file") if name in result):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
