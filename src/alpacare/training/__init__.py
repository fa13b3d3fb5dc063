"""Fine-tuning on responses: packing, model loading, trainer, resume, and what a run needs."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    base_model="save_base_model train_tokenizer",
    data="choose_held_out pack_examples prepare_data",
    memory_estimate="LLAMA_7B LLAMA_13B ModelShape estimate_memory flops_per_token",
    packing="Example best_fit_decreasing build_tensors encode_example",
    rows="RowsSettings choose_rows match_rows",
    settings="BaseModelSettings CheckpointSettings TrainingSettings",
    student="load_base load_student",
    student_file="overlay read_student student_file",
    trainer="TrainingJob train",
)
