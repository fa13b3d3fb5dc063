"""The hosts that text may go to: `hosts` in params.yaml; null allows all that the settings name."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings, check, read_yaml

_PARAMS = Path("params.yaml")


def _check_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:]*:[0-9A-Fa-f:]+", name):
        raise ValueError(
            "write names of hosts only, without https://, port or path: api.openai.com"
        )
    return name.lower().rstrip(".")


_HostName = Annotated[str, AfterValidator(_check_name)]


Hosts = list[_HostName] | None


class HostsSettings(Settings):
    """`hosts`, at the top of params.yaml."""

    hosts: Hosts = None


def read_hosts() -> list[str] | None:
    """Read the hosts that text may go to; None: all that the settings name.

    Raises:
        BadInput: one is no name of a host.
    """
    if not _PARAMS.exists():  # a library's user, who has no settings
        return None
    return check({"hosts": read_yaml(_PARAMS).get("hosts")}, HostsSettings, f"{_PARAMS}: ").hosts


def check_host(host: str, what: str) -> None:
    """Check that text may go to a host, before it goes; `what` names the setting or the text.

    Raises:
        BadInput: `hosts` in params.yaml does not name it.
    """
    refuse_host(host, what, read_hosts())


def refuse_host(host: str, what: str, hosts: list[str] | None) -> None:
    """As `check_host`, with the hosts at hand."""
    if hosts is not None and host.lower().rstrip(".") not in hosts:
        raise BadInput(
            f"{_PARAMS}: hosts: '{host}' ({what}) is not among them "
            f"({', '.join(hosts) or 'there are none'}), so nothing is sent to it; add it if it may "
            "have this text"
        )
