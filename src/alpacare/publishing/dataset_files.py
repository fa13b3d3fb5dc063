"""Rows in the formats in which AlpaCare and others publish them.

[{"instruction": "Explain ...", "input": "", "output": "The heart ..."}]
A conversation that came in whole goes out whole, in `messages`.
"""

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from alpacare.core.names import public_name
from alpacare.records.response import Response

COLUMNS = ("instruction", "input", "output")
_ORIGIN = ("id", "model", "request", "finish_reason")


def dataset_files(responses: Sequence[Response]) -> dict[str, bytes | Path]:
    """Give JSON, JSON Lines and Parquet of what is said; the other fields in a file beside."""
    rows = [response.model_dump(include={*COLUMNS, "messages"}) for response in responses]
    origin = (
        {**response.model_dump(include=set(_ORIGIN)), "model": public_name(response.model)}
        for response in responses
    )
    return {
        "train.jsonl": _lines(rows),
        "train.json": (json.dumps(rows, indent=2, ensure_ascii=False) + "\n").encode(),
        "data/train-00000-of-00001.parquet": _parquet(rows),
        "provenance.jsonl": _lines(origin),
    }


def _lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyarrow import parquet

    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in COLUMNS}
    if any("messages" in row for row in rows):
        turn = pa.struct([("role", pa.string()), ("content", pa.string())])
        columns["messages"] = pa.array([row.get("messages") for row in rows], pa.list_(turn))
    stream = io.BytesIO()
    parquet.write_table(pa.table(columns), stream)
    return stream.getvalue()
