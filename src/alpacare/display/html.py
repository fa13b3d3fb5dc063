"""Self-contained HTML pages: texts are embedded as data, and only the page's own script runs."""

import base64
import gzip
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def open_templates(folder: Path) -> "Environment":
    """Open a folder of templates; values are escaped, and a missing value is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def as_script_json(value: Any) -> str:
    """Write JSON that cannot end a script element, whatever texts it contains."""
    return _json(value).replace("<", "\\u003c")


def as_compressed_json(value: Any) -> str:
    """Write large JSON: gzip in base64, which cannot end a script element."""
    return base64.b64encode(gzip.compress(_json(value).encode(), mtime=0)).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def content_security_policy(style: str, *scripts: str) -> str:
    """Write a content security policy that allows only this style and these scripts."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {' '.join(map(_hash, scripts))}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
