"""Fine-tuning on responses: packing, model loading, trainer, resume, and what a run needs."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    data="choose_held_out pack_examples prepare_data",
    memory_estimate="LLAMA_7B LLAMA_13B ModelShape estimate_memory flops_per_token",
    packing="Example best_fit_decreasing build_tensors encode_example",
    settings="CheckpointSettings StudentSettings",
    student="load_base load_student train_tokenizer",
    trainer="TrainingJob train",
)
