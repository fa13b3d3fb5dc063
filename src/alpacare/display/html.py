"""Pages that are one file each: texts come as data, and no script runs but the page's own."""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def open_templates(folder: Path) -> "Environment":
    """Give the templates of a folder; what they are filled with is escaped, a gap is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def as_data(value: Any) -> str:
    """Write JSON that ends no script element, whatever stands in it."""
    return _json(value).replace("<", "\\u003c")


def as_packed_data(value: Any) -> str:
    """Write JSON for much: compressed by gzip, in base64, whose letters end no script element."""
    return base64.b64encode(gzip.compress(_json(value).encode(), mtime=0)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def policy(style: str, *scripts: str) -> str:
    """Write the content security policy of a page with this style and these scripts alone."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {' '.join(map(_hash, scripts))}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
