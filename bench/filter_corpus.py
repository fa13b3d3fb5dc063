"""What bench/filter.py filters: made-up medical instructions, or a file's."""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

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


def one_word(rows: int) -> list[str]:
    """Make a corpus of which one word is a third of all words, and few words are half of them."""
    draw = np.random.default_rng(1)
    lengths = np.maximum(4, draw.normal(18, 6, rows)).astype(int).tolist()
    words = _zipf(20_000, 1.45, draw)
    return [" ".join(f"w{next(words)}" for _ in range(length)) for length in lengths]


def shared_lead(rows: int) -> list[str]:
    """Make a corpus in which every row begins with the same 15 words."""
    lead = "you are a careful nurse and answer the question of this person in plain words"
    return [f"{lead} {text}" for text in corpus(rows)]


def code(rows: int) -> list[str]:
    """Make small functions: few distinct tokens, most of them in every row."""
    draw = np.random.default_rng(2)
    names = [f"{stem}_{ending}" for stem in STEMS.split() for ending in ENDINGS.split()]
    texts = []
    for picks in draw.integers(len(names), size=(rows, 4)).tolist():
        one, two, three, four = (names[pick] for pick in picks)
        body = draw.permutation([f"if {two} is none: return none", f"{three} = {two} + 1",
                                 f"for i in range({three}): {four}.append(i)"])  # fmt: skip
        texts.append(f"def {one}({two}, {four}): {'; '.join(body)}; return {four}")
    return texts


def chinese(rows: int) -> list[str]:
    """Make Chinese questions of words of two characters, drawn by Zipf's law."""
    draw = np.random.default_rng(3)
    words = ["".join(map(chr, pair)) for pair in draw.integers(0x4E00, 0x5600, size=(6000, 2))]
    picks = _zipf(len(words), 1.0, draw)
    openers = ["请问", "我想知道", "医生您好", "孩子最近", "老人经常"]
    asks = ["怎么办", "是什么原因", "应该如何治疗", "需要做哪些检查"]
    texts: list[str] = []
    for length, opener, ask, near in draw.integers(
        (3, 0, 0, 0), (9, 5, 4, 7), size=(rows, 4)
    ).tolist():
        text = openers[opener] + "".join(words[next(picks)] for _ in range(length)) + asks[ask]
        texts.append(texts[-1][:-1] if texts and near == 0 else text)
    return texts


CORPORA = {
    "instructions": corpus,
    "one word a third of all": one_word,
    "a shared lead": shared_lead,
    "code": code,
    "Chinese": chinese,
}


def load(source: int | str | tuple[str, int]) -> list[str]:
    """Make so many rows, of instructions or of a named corpus, or read a file's instructions."""
    if isinstance(source, tuple):
        return CORPORA[source[0]](source[1])
    if isinstance(source, int):
        return corpus(source)
    text = Path(source).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        rows = json.loads(text) if text.startswith("[") else [json.loads(line) for line in lines]
        return [row["instruction"] for row in rows]
    except (ValueError, TypeError, KeyError):
        return lines
