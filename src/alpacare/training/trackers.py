"""Trackers that `report_to` names: whether they are installed, and which host each sends to.

They get losses, settings and the names of folders, and none of the rows.
"""

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from alpacare.core.errors import BadInput
from alpacare.core.hosts import check_host

_LOCAL = ("tensorboard",)  # files beside the run
# the variable with the server's address, and the address without it; "" is a local folder
_ADDRESSES = {
    "mlflow": ("MLFLOW_TRACKING_URI", ""),
    "wandb": ("WANDB_BASE_URL", "https://api.wandb.ai"),
}
UNKNOWN = "a host unknown here"


def tracker_host(name: str) -> str | None:
    """Give the host that a tracker sends to; None if it writes files here."""
    if name in _LOCAL:
        return None
    if name not in _ADDRESSES:
        return UNKNOWN
    variable, usual = _ADDRESSES[name]
    address = os.environ.get(variable) or usual
    local = not address or address.startswith(("file:", "/", "./", "sqlite:"))
    return None if local else urlsplit(address).hostname or UNKNOWN


def check_trackers(names: Sequence[str]) -> None:
    """Check that trackers are known, installed, and send to hosts that may have it.

    Raises:
        BadInput: the first that is not.
    """
    if not names:
        return
    from transformers.integrations import integration_utils as trackers

    installed = trackers.get_available_reporting_integrations()  # type: ignore[no-untyped-call]
    for name in names:
        if name not in trackers.INTEGRATION_TO_CALLBACK:
            known = ", ".join(sorted(trackers.INTEGRATION_TO_CALLBACK))
            raise BadInput(f"training.report_to: no tracker '{name}'; known: {known}")
        if host := tracker_host(name):
            check_host(host, f"training.report_to: {name}")
        if name not in installed:
            raise BadInput(f"training.report_to: {name} is not installed; pip install {name}")
