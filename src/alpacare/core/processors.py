"""The processors of this machine."""

import os


def cores() -> int:
    """Count the cores that this process may use; all where the system does not say."""
    if hasattr(os, "sched_getaffinity"):  # Linux: taskset and containers may allow fewer
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
