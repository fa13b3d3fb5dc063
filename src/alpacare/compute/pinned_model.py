"""Models by name: a folder here, or one of the Hugging Face Hub's."""

import re
from pathlib import Path


def check_pinned(name: str, revision: str | None) -> None:
    """See that a name means the same weights tomorrow; a folder's are known by their bytes.

    Raises:
        ValueError: a Hub model without a commit.
    """
    if not Path(name).is_dir() and not re.fullmatch("[0-9a-f]{40}", revision or ""):
        raise ValueError(
            f"'{name}' is no local folder, so it is a Hub model, and needs 'revision', the 40 hex "
            "digits of a commit"
        )
