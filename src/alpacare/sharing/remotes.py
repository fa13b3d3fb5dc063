"""A team's DVC remotes: two sections of .dvc/config, which Git has, so without any secret."""

import importlib.util
import re
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from alpacare.core.errors import BadInput
from alpacare.core.hosts import check_host
from alpacare.sharing.remote_hosts import STORAGE, WEIGHTS, hide_password, remote_host

CONFIG = Path(".dvc/config")
PLUGINS = {"s3": "dvc_s3", "gs": "dvc_gs", "ssh": "dvc_ssh"}
# Seconds, for each of several tries. DVC's own are 60 for S3, and half an hour for SSH.
_TIMEOUTS: dict[str, dict[str, Any]] = {
    "s3": {"connect_timeout": 10, "read_timeout": 30},
    "ssh": {"timeout": 30},
}
_ADVICE = "set it with `dvc remote modify --local storage`, or in the environment: docs/remotes.md"


def set_remotes(url: str, weights: str | None, endpoint_url: str | None) -> list[str]:
    """Configure the remote for data, and another for weights if given; return lines to print.

    Raises:
        BadInput: an address cannot be used, or holds a secret; nothing is written.
    """
    sections = {
        STORAGE: _section(url, endpoint_url),
        # without an address of its own it uses the settings of storage, credentials too
        WEIGHTS: {"url": f"remote://{STORAGE}/{WEIGHTS}"}
        if weights is None
        else _section(weights, endpoint_url),
    }
    if endpoint_url is not None and not any("endpointurl" in s for s in sections.values()):
        raise BadInput("--endpoint-url: is for s3:// and gs:// only; leave it out")
    for name, section in sections.items():
        if host := remote_host(section["url"], section.get("endpointurl")):
            check_host(host, f"the remote '{name}'")
    for section in sections.values():
        if "://" not in section["url"]:
            # now: `alpacare push` creates none, as its disk may only be unmounted
            Path(section["url"]).expanduser().mkdir(parents=True, exist_ok=True)
    _write(sections)
    return [
        f"{STORAGE}: {url} (data, run-cache, answers)",
        f"{WEIGHTS}: {weights or 'in its folder weights'} (models/)",
        "next: check who can read there, as pushing may be publishing; then",
        "      git commit .dvc/config -m 'Share through our remote'",
        "      alpacare push",
    ]


def check_plugin(url: str) -> None:
    """Check that DVC's plugin for this kind of address is installed.

    Raises:
        BadInput: it is not.
    """
    module = PLUGINS.get(urlsplit(url).scheme)
    if module and importlib.util.find_spec(module) is None:
        raise BadInput(
            f"{hide_password(url)}: needs {module.replace('_', '-')}, which is not installed; "
            "run `make remotes`"
        )


def _section(url: str, endpoint_url: str | None) -> dict[str, Any]:
    """Check an address and make its section of .dvc/config."""
    parts = _split(url)
    _check_secrets(parts)
    if parts.scheme:
        _check_address(url, parts)
        check_plugin(url)
    else:
        _check_folder(url)
    section = {"url": url, "verify": True, **_TIMEOUTS.get(parts.scheme, {})}
    if endpoint_url is not None and parts.scheme in ("s3", "gs"):
        section["endpointurl"] = _check_endpoint(endpoint_url)
    return section


def _split(url: str) -> SplitResult:
    if not url.strip():
        raise BadInput("no address is given; give one, as s3://bucket/folder or /mnt/team/alpacare")
    try:
        return urlsplit(url) if "://" in url else SplitResult("", "", url, "", "")
    except ValueError:  # its text quotes the address, which may hold a password
        raise BadInput("the address is not valid") from None


def _check_secrets(parts: SplitResult) -> None:
    """Refuse secrets, which Git would publish; the message does not repeat them."""
    short = not parts.scheme and re.match("[^/@]*:[^/]*@", parts.path)  # user:password@host:folder
    if parts.password is not None or short or (parts.scheme != "ssh" and parts.username):
        raise BadInput(f"the address holds a password or key, and Git would publish it: {_ADVICE}")
    if parts.scheme and (parts.query or parts.fragment):
        raise BadInput(f"the address holds '?' or '#'; if that is a key or token, {_ADVICE}")


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
        raise BadInput(f"--endpoint-url holds a user's name or key; {_ADVICE}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput(f"--endpoint-url {url}: write https://HOST or https://HOST:PORT")
    return url


def _check_folder(url: str) -> None:
    if re.match(r"[^/]*:", url):
        raise BadInput(f"{url}: is not a folder; another machine is ssh://user@host/folder")
    whole = Path(url).expanduser().resolve()
    if whole.is_relative_to(Path.cwd().resolve()):
        raise BadInput(f"{url}: is in the repository, where Git would see it; name another folder")
    if whole.exists() and not whole.is_dir():
        raise BadInput(f"{url}: is a file; name a folder")


def _write(sections: dict[str, dict[str, Any]]) -> None:
    """Replace the sections; other settings of a section stay while its kind of address does."""
    from dvc.config import Config, ConfigError  # type: ignore[import-untyped]

    if not CONFIG.is_file():
        raise BadInput(f"{CONFIG}: no such file; run this from the repository's top folder")
    before = CONFIG.read_bytes()
    try:
        with Config.from_cwd().edit("repo") as values:
            for name, section in sections.items():
                old = values["remote"].get(name, {})
                if urlsplit(str(old.get("url", ""))).scheme != urlsplit(section["url"]).scheme:
                    old = {}
                kept = {key: value for key, value in old.items() if key != "endpointurl"}
                values["remote"][name] = kept | section
            values["core"]["remote"] = STORAGE
    except ConfigError as error:
        CONFIG.write_bytes(before)  # DVC checks config.local only after it has written
        raise BadInput(
            f"{CONFIG}, or .dvc/config.local, which adds to it: {' '.join(str(error).split())}; "
            "correct it by hand"
        ) from error
