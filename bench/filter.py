"""How long exact near-duplicate removal takes: rouge_score's own loop, brute force, and ours.

    python bench/filter.py [FILE.jsonl] [--rows 52000] [--large]

Prints a table and writes bench/filter.json: seconds and peak memory by size, the growth exponent,
and whether all decisions on a sample equal rouge_score's. FILE (rows with `instruction`) is
measured too. --large adds 520,000 and 1,000,000 rows. What a row marked "extrapolated" shows was
measured on fewer rows and scaled with the number of pairs.
"""

import json
import math
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from alpacare.text.duplicates import KeepFirst
from alpacare.text.rouge import encode, scores

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
    lines = Path(source).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["instruction"] for line in lines]


def kept_first(texts: list[str]) -> int:
    return len(texts) - len(Sieve(THRESHOLD).add(texts))


def kept_none(texts: list[str]) -> int:
    return len(texts) - len(nearest(texts, THRESHOLD))


def decisions(texts: list[str]) -> list[tuple[int, int]]:
    return [(pair.first, pair.second) for pair in pairs_above(texts, THRESHOLD)]


def brute_force(texts: list[str]) -> int:
    """Count the rows near an earlier one, by rapidfuzz's whole matrix below the diagonal."""
    encoded, near = encode(texts), 0
    for start in range(0, len(texts), 1024):
        rows = encoded[start : start + 1024]
        matrix = scores(rows, encoded[: start + len(rows)])
        near += int((np.tril(matrix, start - 1) > THRESHOLD).any(axis=1).sum())
    return near


def published_loop(texts: list[str]) -> list[tuple[int, int]]:
    """Decide as `decisions` does, by the function that the published scripts call."""
    from rouge_score.rouge_scorer import _score_lcs

    tokens = [tokenize(text) for text in texts]
    return [
        (i, j)
        for j in range(len(texts))
        for i in range(j)
        if _score_lcs(tokens[j], tokens[i]).fmeasure > THRESHOLD
    ]


def measured(
    name: str, work: Callable[[list[str]], Any], source: int | str, sample: int | None = None
) -> dict[str, Any]:
    """Run `work` alone in a fresh process, on the first `sample` texts if given."""
    print(f"{name}: {sample or source}", file=sys.stderr, flush=True)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        result, texts, rows, seconds, peak = pool.apply(_run, (work, source, sample))
    scale = math.comb(texts, 2) / math.comb(rows, 2)
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


def compared(source: int | str) -> tuple[list[dict[str, Any]], int]:
    """Measure every method on one corpus, and count the decisions that equal rouge_score's."""
    runs = [
        measured("rouge_score's loop", published_loop, source, SAMPLE),
        measured("brute force, rapidfuzz", brute_force, source, BRUTE),
        measured("ours, keep: first", kept_first, source),
        measured("ours, keep: none", kept_none, source),
    ]
    ours = measured("ours, the sample", decisions, source, SAMPLE)
    assert ours["result"] == runs[0].pop("result"), "a decision differs from rouge_score's"
    return runs, math.comb(ours["extrapolated_from"] or ours["rows"], 2)


def exponent(runs: list[dict[str, Any]]) -> float:
    """Fit seconds = constant x rows ** exponent."""
    rows, seconds = ([math.log(run[key]) for run in runs] for key in ("rows", "seconds"))
    return round(float(np.polyfit(rows, seconds, 1)[0]), 2)


def show(title: str, runs: list[dict[str, Any]]) -> None:
    table = Table("method", "rows", "seconds", "peak GB", "", title=title, title_justify="left")
    for run in runs:
        sample = run["extrapolated_from"]
        note = f"extrapolated from {sample:,} rows" if sample else f"{run['result']:,} kept"
        peak = "" if sample else f"{run['peak_gb']:.2f}"
        table.add_row(run["method"], f"{run['rows']:,}", f"{run['seconds']:,.1f}", peak, note)
    Console().print(table)


@click.command()
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option("--rows", default=52_000, show_default=True, help="Rows to generate.")
@click.option("--large", is_flag=True, help="520,000 and 1,000,000 rows too (minutes).")
def main(file: str | None, rows: int, large: bool) -> None:
    """Measure the filter on a generated corpus, and on FILE's instructions if given."""
    result: dict[str, Any] = {"threshold": THRESHOLD, "cores": os.cpu_count()}
    for name, source in {"generated": rows, "file": file}.items():
        if source is not None:
            runs, equal = compared(source)
            show(f"{name}: {equal:,} decisions on a sample equal rouge_score's", runs)
            result[name] = {"runs": runs, "equal_decisions": equal}
    sizes = [rows // 2, rows, 2 * rows, *(LARGE if large else ())]
    runs = [measured("ours, keep: first", kept_first, size) for size in sizes]
    result["growth"] = {"runs": runs, "exponent": exponent(runs)}
    show(f"growth: seconds ~ rows ** {exponent(runs)}", runs)
    Path(__file__).with_suffix(".json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
