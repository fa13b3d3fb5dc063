"""Where a team's data is kept: two remotes in .dvc/config, which Git has, so without any secret."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from alpacare.core.errors import BadInput

CONFIG = Path(".dvc/config")
STORAGE = "storage"  # data, run-cache, ledger packs
WEIGHTS = "weights"  # the checkpoint: dvc.yaml names this remote, so there must always be one
PLUGINS = {"s3": "dvc_s3", "gs": "dvc_gs", "ssh": "dvc_ssh"}
# Seconds, for each of several tries. DVC's own are 60 for S3, and half an hour for SSH.
_PATIENCE: dict[str, dict[str, Any]] = {
    "s3": {"connect_timeout": 10, "read_timeout": 30},
    "ssh": {"timeout": 30},
}
_WHERE = "give it with `dvc remote modify --local storage`, or in the environment: docs/remotes.md"


def set_remotes(url: str, weights: str | None, endpoint_url: str | None) -> Iterator[str]:
    """Write where data goes, and where weights go if that is another place; tell of it.

    Raises:
        BadInput: an address that cannot be used, or holds a secret; nothing is written.
    """
    sections = {STORAGE: _section(url, endpoint_url)}
    if weights is None:
        # what is set for storage, credentials too, holds for it as well
        sections[WEIGHTS] = {"url": f"remote://{STORAGE}/{WEIGHTS}"}
    else:
        sections[WEIGHTS] = _section(weights, endpoint_url)
    if endpoint_url is not None and not any("endpointurl" in s for s in sections.values()):
        raise BadInput("--endpoint-url: is for s3:// and gs://; leave it out")
    for section in sections.values():
        if "://" not in section["url"]:
            # now: `alpacare push` makes none, for its disk may only be unmounted
            Path(section["url"]).expanduser().mkdir(parents=True, exist_ok=True)
    _write(sections)
    return _report(url, weights)


def check_plugin(url: str) -> None:
    """See that DVC's plugin for this kind of address is installed.

    Raises:
        BadInput: it is not.
    """
    module = PLUGINS.get(urlsplit(url).scheme)
    if module and importlib.util.find_spec(module) is None:
        raise BadInput(
            f"{url}: needs {module.replace('_', '-')}, which is not installed; run `make remotes`"
        )


def _section(url: str, endpoint_url: str | None) -> dict[str, Any]:
    """Check one address and give its section of .dvc/config."""
    parts = _split(url)
    _check_secrets(parts)
    if parts.scheme:
        _check_address(url, parts)
        check_plugin(url)
    else:
        _check_folder(url)
    section = {"url": url, "verify": True, **_PATIENCE.get(parts.scheme, {})}
    if endpoint_url is not None and parts.scheme in ("s3", "gs"):
        section["endpointurl"] = _check_endpoint(endpoint_url)
    return section


def _split(url: str) -> SplitResult:
    if not url.strip():
        raise BadInput("no address is given; give one, as s3://bucket/folder or /mnt/team/alpacare")
    try:
        return urlsplit(url) if "://" in url else SplitResult("", "", url, "", "")
    except ValueError as error:
        raise BadInput(f"this is no address: {error}") from error


def _check_secrets(parts: SplitResult) -> None:
    """Refuse what Git would publish; the line does not repeat it."""
    if parts.password is not None or (parts.scheme in ("s3", "gs") and parts.username):
        raise BadInput(f"the address holds a password or key, and Git would keep it: {_WHERE}")
    if parts.scheme and (parts.query or parts.fragment):
        raise BadInput(f"the address holds '?' or '#'; if that is a key or token, {_WHERE}")


def _check_address(url: str, parts: SplitResult) -> None:
    if parts.scheme in ("http", "https"):
        raise BadInput(f"{url}: nothing can be pushed by {parts.scheme}; use s3, gs, ssh, a folder")
    if parts.scheme not in PLUGINS:
        raise BadInput(f"{url}: '{parts.scheme}' is not known here; use s3, gs, ssh or a folder")
    if not parts.hostname:
        what = "host" if parts.scheme == "ssh" else "bucket"
        raise BadInput(f"{url}: names no {what}; write {parts.scheme}://{what.upper()}/folder")
    if parts.scheme == "ssh" and not parts.path.strip("/"):
        raise BadInput(f"{url}: names no folder; write {url.rstrip('/')}/FOLDER")


def _check_endpoint(url: str) -> str:
    parts = _split(url)
    _check_secrets(parts)
    if parts.username:
        raise BadInput(f"--endpoint-url holds a user's name or key; {_WHERE}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(f"--endpoint-url {url}: write https://HOST or https://HOST:PORT")
    return url


def _check_folder(url: str) -> None:
    if re.match(r"[^/]*:", url):
        raise BadInput(f"{url}: is no folder; another machine is ssh://user@host/folder")
    whole = Path(url).expanduser().resolve()
    if whole.is_relative_to(Path.cwd().resolve()):
        raise BadInput(f"{url}: is in the repository, where Git would see it; name another folder")
    if whole.exists() and not whole.is_dir():
        raise BadInput(f"{url}: is a file; name a folder")


def _write(sections: dict[str, dict[str, Any]]) -> None:
    """Replace the sections; what people set in one stays while its kind of address does."""
    from dvc.config import Config, ConfigError  # type: ignore[import-untyped]

    if not CONFIG.is_file():
        raise BadInput(f"{CONFIG}: no such file; run this from the repository's top folder")
    before = CONFIG.read_bytes()
    try:
        with Config.from_cwd().edit("repo") as values:
            for name, section in sections.items():
                values["remote"][name] = _kept(values["remote"].get(name, {}), section) | section
            values["core"]["remote"] = STORAGE
    except ConfigError as error:
        CONFIG.write_bytes(before)  # DVC looks at config.local only when it has written
        raise BadInput(
            f"{CONFIG}, or .dvc/config.local, which adds to it: {' '.join(str(error).split())}; "
            "mend it by hand"
        ) from error


def _kept(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    if _kind(old.get("url", "")) != _kind(new["url"]):
        return {}
    return {key: value for key, value in old.items() if key != "endpointurl"}


def _kind(url: str) -> str:
    return urlsplit(str(url)).scheme


def _report(url: str, weights: str | None) -> Iterator[str]:
    yield f"{STORAGE}: {url} (data, run-cache, answers)"
    yield f"{WEIGHTS}: {weights or 'in its folder weights'} (models/checkpoint)"
    yield "next: see who can read there, for pushing may be publishing; then"
    yield "      git commit .dvc/config -m 'Share through our remote'"
    yield "      alpacare push"
