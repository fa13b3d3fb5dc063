"""What runs of models share: determinism, versions, scratch folders, workers, this machine."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    determinism="make_deterministic",
    machine="describe_machine device_name versions",
    pretrained="ModelSource read_config read_tokenizer",
    weights="check_weights read_weights",
    scratch="fingerprint hash_files hash_model",
    workers="run_workers",
)
