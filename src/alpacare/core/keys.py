"""Keys and passwords in texts where none belongs: by vendors' forms, by names, by this environment.

Nothing here gives a key back, nor any part of it: messages say where it is and of what kind.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any


def _begins(*starts: str) -> str:
    """Match one of these where a word begins: first the text, which is quick to search for."""
    return "(?:" + "|".join(f"{start}(?<![A-Za-z0-9_-]{start})" for start in starts) + ")"


def _in_any_case(*words: str) -> str:
    """Match one of these; their first letters are written out, which is quick to search for."""
    firsts = [(first, word[1:]) for word in words for first in (word[0], word[0].upper())]
    return "(?:" + "|".join(f"{first}(?i:{rest})" for first, rest in firsts) + ")"


FORMS: Mapping[str, str] = {
    "a key for a model vendor (sk-...)": _begins("sk-") + r"[A-Za-z0-9_-]{20,}",
    "a key for a model vendor (gsk_, xai-, pplx-, nvapi-, r8_)": _begins(
        "gsk_", "xai-", "pplx-", "nvapi-", "r8_"
    )
    + r"[A-Za-z0-9_-]{20,}",
    "a Hugging Face token (hf_...)": _begins("hf_") + r"[A-Za-z0-9]{20,}",
    "an AWS key id (AKIA...)": r"(?:AKIA(?<=\bAKIA)|ASIA(?<=\bASIA))[0-9A-Z]{16}\b",
    "a Google key (AIza...)": r"AIza(?<=\bAIza)[A-Za-z0-9_-]{35}",
    "a GitHub token (ghp_...)": r"gh[pousr]_(?<=\bgh[pousr]_)[A-Za-z0-9]{36}|"
    r"github_pat_(?<=\bgithub_pat_)[A-Za-z0-9_]{22,}",
    "a signed token (JWT)": r"eyJ(?<=\beyJ)[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}"
    r"\.[A-Za-z0-9_-]{8,}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a GitLab token (glpat-...)": _begins("glpat-", "gldt-", "glrt-", "glptt-")
    + r"[A-Za-z0-9_-]{20,}",
    "a Slack token (xox...)": _begins("xox[abeoprs]-") + r"[A-Za-z0-9-]{10,}",
    "a key for payments (sk_live_...)": _begins(
        "rk_live_", "rk_test_", "sk_live_", "sk_test_", "whsec_"
    )
    + r"[A-Za-z0-9]{16,}",
    "a token for packages (npm_, pypi-)": _begins("npm_")
    + r"[A-Za-z0-9]{36}|"
    + _begins("pypi-")
    + r"[A-Za-z0-9_-]{50,}",
    # Azure's newer keys hold this signature; older ones are 32 hex digits, like a hash
    "an Azure key": r"JQQJ9[9D](?<=\b[A-Za-z0-9]{52}JQQJ9[9D])[A-Za-z0-9]{20,}",
    # many vendors' keys have no form of their own: what follows such a word and looks like one
    "a key or password (by the word before it)": _in_any_case(
        "api[-_ ]?key",
        "access[-_ ]?token",
        "auth[-_ ]?token",
        "client[-_ ]?secret",
        "secret[-_ ]?(?:access[-_ ]?)?key",
        "account[-_ ]?key",
        "subscription[-_ ]?key",
        "bearer",
    )
    + r"[\"'\\\s:=]{1,8}(?=[\w+/-]*[0-9])(?=[\w+/-]*[a-z])[A-Za-z0-9_+/-]{24,}",
}
_VARIABLE = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)$")
_SHORTEST = 12  # shorter values of such variables occur in ordinary text
_SECRET = {"authorization", "auth", "bearer", "code", "cookie", "credential", "credentials"}
_SECRET |= {"key", "passwd", "password", "pwd", "secret", "sig", "signature", "token"}
_RUN = re.compile(r"[A-Za-z0-9_-]{32,}|[A-Za-z0-9]{20,}")  # names of models have dashes
_ALWAYS = re.compile(
    r"(x[-_])?api[-_]?key|authorization|(access|auth)[-_]?token|(client[-_])?secret|passw(or)?d|"
    "cookie",
    re.IGNORECASE,
)


def find_key(text: str) -> tuple[int, str] | None:
    """Give the line and the kind of the first key in a text; None if there is none."""
    found = [(match.start(), kind) for kind, match in _matches(text)]
    if not found:
        return None
    place, kind = min(found)
    return text.count("\n", 0, place) + 1, kind


def names_secret(name: str) -> bool:
    """Whether a setting of this name holds a secret: `api-key`, `x_api_key`, `apikey`, `sig`."""
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower())
    return bool(_SECRET.intersection(words)) or words[-1].endswith(("key", "token", "secret"))


def may_be_key(value: str) -> bool:
    """Whether a value is as long and mixed as keys are; many other things are too."""
    return any(map(_mixed, _RUN.findall(value)))


def find_secret_setting(values: Mapping[str, Any] | Sequence[Any]) -> str | None:
    """Give the name of the first setting, at any depth, that holds a secret by name and value."""
    for key, value in values.items() if isinstance(values, Mapping) else enumerate(values):
        name = str(key)
        if isinstance(value, Mapping | list) and (below := find_secret_setting(value)):
            return f"{name}.{below}"
        if isinstance(value, str) and (
            _ALWAYS.fullmatch(name) or (names_secret(name) and may_be_key(value))
        ):
            return name
    return None


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, form in FORMS.items():
        if match := _compiled(form).search(text):
            yield kind, match
    for kind, value in environment_secrets():
        if _mixed(value) and (match := re.search(re.escape(value), text)):
            yield kind, match


def environment_secrets() -> Iterator[tuple[str, str]]:
    """Give the values that are secret by their variables' names, each after what it is."""
    for name, value in os.environ.items():
        if _VARIABLE.search(name) and len(value) >= _SHORTEST:
            yield f"the value of ${name}", value


def _mixed(text: str) -> bool:
    return bool(re.search("[0-9]", text) and re.search("[A-Za-z]", text))


@cache
def _compiled(form: str) -> re.Pattern[str]:
    return re.compile(form)
