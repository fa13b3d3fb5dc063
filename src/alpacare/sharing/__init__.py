"""Sharing with a team: DVC remotes, DVC's run-cache, files that DVC tracks, and cache packs of paid
answers.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    git="changed_files git",
    remote_hosts="check_remote_hosts read_remotes",
    remotes="set_remotes",
    tracked="check_replaceable dvc_file dvc_track",
    transfer="pull_all push_all",
)
