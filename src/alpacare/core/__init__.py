"""What every stage uses: files, JSON Lines, settings, errors, progress, locks.

It knows nothing of models or medicine, and changes seldom: all stages depend on it.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    command="FILE OneLine Stage check_files",
    csv_files="cell_text write_csv",
    errors="BadInput",
    file_lock="hold_lock is_held",
    hosts="check_host read_hosts",
    keys="find_key find_secret_setting may_be_key names_secret",
    files="atomic_file atomic_folder open_text parse_json read_json read_text write_json",
    input_state="check_inputs hold_inputs",
    jsonl="Row",
    names="NAME Names Slug Slugs public_name refuse_repeated",
    processors="cores",
    progress="track",
    public="exports",
    settings="Settings load read_yaml",
    texts="comparable escape_controls repair_text shows_nothing",
)
