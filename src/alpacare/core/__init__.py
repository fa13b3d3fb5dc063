"""What every stage uses: files, JSON Lines, settings, errors, progress, locks.

It knows nothing of models or medicine, and changes seldom: all stages depend on it.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    command="FILE OneLine Stage check_files",
    errors="BadInput",
    file_lock="hold_lock",
    files="atomic_file atomic_folder open_text parse_json read_json read_text write_json",
    jsonl="Row",
    names="NAME Names Slug Slugs refuse_repeated",
    progress="track",
    public="exports",
    settings="Settings load read_yaml",
)
