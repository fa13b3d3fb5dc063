"""What pages quote of the benches: (page, bench, sentence).

"{FIGURE|FORMAT}" is the range over the machines that have the figure, "{FIGURE|machines}" says how
many they are.
"""

QUOTES = [
    ("README.md", "pipeline", "measured: {first run, s|.0f} s ({first run, s|machines};"),
    (
        "README.md",
        "filter",
        "exact ROUGE-L | {52,000 rows, rouge_score's loop, s|,.0f} s, extrapolated",
    ),
    (
        "README.md",
        "filter",
        "| {52,000 rows, brute force, rapidfuzz, s|.0f} s, all pairs by rapidfuzz "
        "| {52,000 rows, keep: first, s|.1f} s, same decisions |",
    ),
    (
        "README.md",
        "filter, large",
        "A million instructions take {1,000,000 rows, keep: first, s|.0f} s and "
        "{1,000,000 rows, keep: first, GB|.2f} GB.",
    ),
    (
        "README.md",
        "generate",
        "{MedInstruct-test, batched, times the loop|.0f} times, same answers",
    ),
    (
        "README.md",
        "teacher",
        "| ours has {200 in flight, % of the bare client|.0f} % of the bare `openai` client's rate "
        "| {200 in flight, times lock step|.0f} times |",
    ),
    ("README.md", "teacher", "come from the response cache in {52,000 ledger hits, s|.1f} s."),
    (
        "README.md",
        "scores",
        "The 9,728 verdicts of the paper's set-up are read, scored and resampled in "
        "{reading and scoring, s|.1f} s.",
    ),
    (
        "docs/scaling.md",
        "filter",
        "on 2 cores, {52,000 rows, keep: first, s|machines} (`python bench/filter.py --large`",
    ),
    (
        "docs/scaling.md",
        "filter",
        "power {exponent, 26,000 to 104,000 rows|.2f} up to 104,000 rows",
    ),
    (
        "docs/scaling.md",
        "filter",
        "({52,000 rows, rouge_score's loop, s|,.0f} s, extrapolated from 400 rows)",
    ),
    (
        "docs/scaling.md",
        "filter, large",
        "and {exponent, 520,000 to 1,000,000 rows|.2f} from 520,000",
    ),
    (
        "docs/report.md",
        "report",
        "{page, MB|.1f} MB and is written in {writing, s|.1f} s on two cores "
        "({writing, s|machines}; `python bench/report.py`). It shows in {first paint, s|.1f} s, "
        "and a filter or a search takes up to {slowest filter or search, s|.1f} s",
    ),
    ("docs/report.md", "report", "in another {unpacking items, s|.1f} s"),
    (
        "docs/performance.md",
        "train",
        "was measured on {skewed, ours, times the recipe|machines}, all else on "
        "{skewed, ours, tokens/s|machines}.",
    ),
    ("docs/performance.md", "train", "The peak is {matrix products, GFLOP/s|.0f} GFLOP/s"),
    (
        "docs/performance.md",
        "generate",
        "was measured on {iCliniq, batched, times the loop|machines}, all else on "
        "{iCliniq, batched, tokens/s|machines}.",
    ),
    (
        "docs/performance.md",
        "generate",
        "a step's {MedInstruct-test, batched, ms a step|.2f} ms with 64 rows, the matrix products "
        "would take {MedInstruct-test, batched, ms of products a step|.3f}",
    ),
    (
        "docs/performance.md",
        "generate",
        "`batched` was {MedInstruct-test, batched, times one batch|.2f} times as fast as one "
        "left-padded batch of all prompts with MedInstruct-test's lengths, "
        "{iCliniq, batched, times one batch|.2f} times with iCliniq's.",
    ),
    (
        "docs/performance.md",
        "busy",
        "two cores, {ours, idle machine, tokens/s|machines}, tokens a second",
    ),
]
QUOTES += [
    (
        "README.md",
        "train",
        f"training, answers of {words} length | 1 | {{{lengths}, trl, times the recipe|.2f}}, "
        f"TRL 1.16.0 with packing | {{{lengths}, ours, times the recipe|.2f}} times |",
    )
    for lengths, words in (("skewed", "uneven"), ("even", "even"))
]
QUOTES += [
    (
        "docs/scaling.md",
        "filter" if rows == "52,000" else "filter, large",
        f"| {rows} | {{{rows} rows, keep: first, s|.1f}} | {{{rows} rows, keep: first, GB|g}} GB |",
    )
    for rows in ("52,000", "520,000", "1,000,000")
]
QUOTES += [
    (
        "docs/performance.md",
        "busy",
        f"| {words} | {{{setting}, idle machine, tokens/s|,.0f}} "
        f"| {{{setting}, busy machine, tokens/s|,.0f}} |",
    )
    for words, setting in (("as OpenMP does", "OpenMP's own"), ("as ours do", "ours"))
]
QUOTES += [
    (
        "docs/performance.md",
        "train",
        f"| {lengths} | {words} | {{{lengths}, {way}, tokens/s|,.0f}} "
        f"| {f'{{{lengths}, {way}, times the recipe|.2f}}' if way != 'published' else '1'} "
        f"| {{{lengths}, {way}, % of the peak|.0f}}% |",
    )
    for lengths in ("skewed", "even")
    for way, words in (
        ("published", "published recipe"),
        ("trl", "TRL 1.16.0, packing"),
        ("ours", "ours"),
    )
]
QUOTES += [
    (
        "docs/performance.md",
        "generate",
        f"| {name} | {words} | {{{name}, {way}, tokens/s|,.0f}} "
        f"| {f'{{{name}, {way}, times the loop|.1f}}' if way != 'published' else '1'} "
        f"| {{{name}, {way}, peak MB|.0f}} MB |",
    )
    for name in ("MedInstruct-test", "iCliniq")
    for way, words in (
        ("published", "published loop"),
        ("batched", "`batched`"),
    )
]
