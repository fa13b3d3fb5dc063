"""params.yaml and dvc.yaml as data: checked before anything runs, quoted, changed by presets.

It also says which stages an edit would run again, and accepts edits that change no result.
"""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    acceptance="accept_code",
    changes="code_changes explain_rerun",
    check="check_all",
    dvc_yaml="dependencies expensive_stages outputs setting",
    edit_settings="edit_settings read_edit",
    graph_svg="write_graph",
    hosts="check_destinations describe_destinations",
    params="Params read_params",
    presets="apply_preset describe_presets set_values",
    removed_cells="remove_left_cells",
    repair="repair_dvc",
    sources="buy_targets repro_targets skipped_stages train_targets",
    students="read_students",
)
