"""Training as jobs of a cluster: a launcher's folder, one array of jobs, and what becomes of it."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    array="Submitted find_submitted hold_jobs submit",
    follow="follow",
    launcher="Launcher read_launcher",
    study="Task missing_tasks",
    train="train_elsewhere train_here",
)
