"""The data set's card: what it is, who wrote it, what it was made from."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from alpacare.publishing.card_parts import licence_section, provenance_section, table
from alpacare.publishing.freshness import Commit
from alpacare.publishing.licences import Licence
from alpacare.publishing.origin import Facts

_PACKAGES = ("alpacare", "dvc", "pyarrow")
_STEPS = {1_000: "1K", 10_000: "10K", 100_000: "100K", 1_000_000: "1M", 10_000_000: "10M"}

_CARD = """\
---
{licence}
language:
- en
pretty_name: Medical instructions with answers
task_categories:
- text-generation
tags:
- medical
- instruction-tuning
- synthetic
size_categories:
- {size}
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*.parquet
---

# Medical instructions with answers

**Not for care.** Language models wrote this to study instruction tuning, and that is its intended
use. No clinician has reviewed it, some of it is wrong, and nothing in it may guide the care of
anyone.

## What is in it

{rows:,} rows of `instruction`, `input` ("" where there is none) and `output`, in the order in which
the student was given them.

    datasets.load_dataset("{name}", split="train")

| file | what |
|---|---|
| `data/train-*.parquet` | the rows, for `datasets` |
| `train.json`, `train.jsonl` | the same rows as a JSON array and as JSON Lines |
| `provenance.jsonl` | for each row, in the same order: its id, who answered, the request |

## How it was made

{facts}
{filter}"""

_FILTER = """\
The filter's settings:

```json
{}
```

"""


def dataset_card(
    *,
    name: str,
    rows: int,
    facts: Facts,
    settings: Mapping[str, Any] | None,
    licence: Licence,
    binds: Sequence[str],
    commit: Commit,
    hashes: Mapping[str, str],
) -> str:
    """Write the card; `settings` are the filter's, None where nothing was filtered here."""
    text = _CARD.format(
        licence="\n".join(licence.front_matter()),
        size=size_category(rows),
        rows=rows,
        name=name,
        facts=table(("", ""), facts),
        filter=_FILTER.format(json.dumps(settings, indent=2)) if settings else "",
    )
    versions = {"python": platform.python_version(), **{each: version(each) for each in _PACKAGES}}
    return "\n".join(
        [text + licence_section(licence, binds), provenance_section(commit, hashes, versions)]
    )


def size_category(rows: int) -> str:
    """Name a number of rows as the Hub does."""
    smaller = "n"
    for step, name in _STEPS.items():
        if rows < step:
            return f"n<{name}" if smaller == "n" else f"{smaller}<n<{name}"
        smaller = name
    return "n>10M"
