"""Room on the ledger's disk for the answers that are under way."""

import shutil
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.llm.request import Request

_MIN_FREE = 2 << 20  # bytes that must be free, and for each call in flight:
_BYTES_PER_CALL, _BYTES_PER_TOKEN = 16 << 10, 16


def check_disk(folder: Path, request: Request, in_flight: int) -> None:
    """Stop while the disk can hold what is in flight: what cannot be written is lost.

    Raises:
        BadInput: the disk is almost full.
    """
    a_call = _BYTES_PER_CALL + _BYTES_PER_TOKEN * (request.most_output_tokens() or 0)
    if shutil.disk_usage(folder).free < _MIN_FREE + a_call * in_flight:
        raise BadInput(
            f"{folder}: the disk is almost full, so nothing more is asked; free some space"
        )
