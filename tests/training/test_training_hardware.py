"""What a run lacks is said before any weight is loaded."""

import json
from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.launch import launch_command_parser
from conftest import REPOSITORY
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig

from alpacare.compute.pinned_model import PinnedModel
from alpacare.core.errors import BadInput
from alpacare.training.hardware import Hardware, check_machine, read_hardware
from alpacare.training.launch import other_machines_command
from alpacare.training.memory_check import check_memory_and_disk
from alpacare.training.student import load_base, load_base_tokenizer
from students import BASE, TRAINING, make_settings, save_base

CPU = Hardware(distributed_type="NO", use_cpu=True)
GPU = Hardware(distributed_type="NO")
FOUR_BITS = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear", "quantize": "nf4"}
LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": ["q_proj", "attention"]}


@pytest.mark.parametrize(
    ("hardware", "changes", "training", "message"),
    [
        (CPU, {"dtype": "bfloat16"}, {}, "bfloat16 is for GPUs"),
        (CPU, {"liger": True}, {}, "liger: needs a GPU"),
        (CPU, {"optimizer__name": "adamw_8bit"}, {}, "optimizer.name: needs a GPU"),
        (CPU, {"lora": FOUR_BITS}, {}, "lora.quantize: needs a GPU; set it to null"),
        (CPU, {}, {"report_to": ["wandbb"]}, "no tracker 'wandbb'; known: .*wandb"),
        (CPU, {}, {"report_to": ["neptune"]}, "neptune is not installed"),
        (GPU, {}, {"hardware": "one-gpu"}, "'one-gpu' needs 1 GPU.* torch finds 0"),
    ],
)
def test_what_is_missing_is_named(
    hardware: Hardware, changes: Any, training: Any, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        check_machine(
            make_settings(**changes), TRAINING.model_copy(update=training), hardware, BASE
        )


def test_the_hardware_files_say_what_they_are() -> None:
    read = {
        path.stem: read_hardware(path)
        for path in (REPOSITORY / "configs/accelerate").glob("*.yaml")
    }
    assert read["cpu"].use_cpu
    assert not read["one-gpu"].use_cpu
    assert (read["one-node-fsdp2"].sharded, read["one-node-fsdp2"].local_processes) == (True, 8)
    assert (read["multi-node-fsdp2"].num_processes, read["multi-node-fsdp2"].local_processes) == (
        16,
        8,
    )


def test_a_hardware_file_that_is_none_is_one_clear_line() -> None:
    with pytest.raises(BadInput, match=r"nine.yaml: no such file; .* cpu, multi-node-fsdp2"):
        read_hardware(REPOSITORY / "configs/accelerate/nine.yaml")
    Path("h.yaml").write_text("distributed_type: NO\nnum_processes: zero\n")
    with pytest.raises(BadInput, match=r"h.yaml: num_processes: "):
        read_hardware(Path("h.yaml"))


@pytest.fixture
def base(tmp_path: Path) -> PinnedModel:
    return save_base(tmp_path / "base")


def test_other_machines_run_the_same_command(tmp_path: Path) -> None:
    config = REPOSITORY / "configs/accelerate/multi-node-fsdp2.yaml"
    settings = make_settings(gradient_checkpointing=True)
    command = other_machines_command(config, read_hardware(config), tmp_path, settings)
    options = launch_command_parser().parse_args(command.replace("RANK", "1").split()[2:])
    assert (options.config_file, options.machine_rank) == (str(config), 1)
    assert options.fsdp_activation_checkpointing == "true"
    assert options.training_script == "alpacare.training.worker"
    assert options.training_script_args == [str(tmp_path)]


def check(base: PinnedModel | None, /, **changes: Any) -> None:
    check_machine(make_settings(**changes), TRAINING, CPU, base)


def test_a_base_is_checked_without_its_weights() -> None:
    check(BASE, lora={**LORA, "targets": ["q_proj"]})
    check(None, lora={**LORA, "targets": ["q_proj"]})
    for base in (BASE, None):  # None: made from nothing, and not yet
        with pytest.raises(BadInput, match=r"no 'attention' in the student; known: .*q_proj"):
            check(base, lora=LORA)
    with pytest.raises(BadInput, match=r"prompt: chat: .* no chat template; use alpaca"):
        check(BASE, base=BASE.model, prompt="chat")
    with pytest.raises(BadInput, match=r"max_seq_length: 4096 tokens exceed the context .* 128"):
        check(BASE, max_seq_length=4096)


def without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def without_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def damaged(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"cut off")


def without_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


def sentencepiece_alone(folder: Path) -> None:
    without_tokenizer(folder)
    (folder / "tokenizer.model").touch()


def an_adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "their/base"}')


def half_an_adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text('{"base_model')


def for_llama_cpp(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-Q4_K_M.gguf")


def quantised(folder: Path) -> None:
    change_config(folder, quantization_config={"quant_method": "awq", "bits": 4})


def with_a_smaller_embedding(folder: Path) -> None:
    """As when a tokenizer has got tokens since, and the model no rows for them."""
    model = load_base(PinnedModel(model=str(folder), revision=None))
    model.resize_token_embeddings(200)
    model.save_pretrained(folder)


def with_other_names(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    renamed = {f"base_model.model.{name}": weight for name, weight in weights.items()}
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})


def change_config(folder: Path, **values: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def of_another_kind(folder: Path) -> None:
    change_config(folder, model_type="theirs", auto_map={"AutoConfig": "theirs.Config"})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without_weights, "no .safetensors in this folder .weights in pickle files can run code"),
        (without_config, "its configuration cannot be read"),
        (damaged, "its weights cannot be read"),
        (without_tokenizer, "no tokenizer in this folder"),
        (sentencepiece_alone, "tokenizer.model alone does not say how a text begins"),
        (an_adapter, "an adapter of their/base, .*; merge it into that model"),
        (half_an_adapter, "adapter_config.json: not valid JSON .*; is it cut off"),
        (for_llama_cpp, "model-Q4_K_M.gguf is a GGUF file, .*; name the model that it was made"),
        (quantised, "its weights are quantised, .*; name the model that they were made from"),
        (with_a_smaller_embedding, r"token \d+ \(.*\), and the model an embedding of 200 tokens"),
        (with_other_names, r"missing: \d+, first lm_head"),
        (of_another_kind, "needs Python code of its own, which is not run here"),
    ],
)
def test_a_base_that_is_not_whole_is_named_with_what_to_do(
    base: PinnedModel, spoil: Any, message: str
) -> None:
    spoil(Path(base.model))
    with pytest.raises(BadInput, match=f"^base: {base.model}.*({message})"):
        check(base)


def test_a_tokenizer_of_sentencepiece_reads_as_it_does(tmp_path: Path) -> None:
    """Some LLaMA 1 and 2 folders have tokenizer.model and its settings, and no tokenizer.json."""
    sentencepiece = pytest.importorskip("sentencepiece", reason="in the lock; run: make setup")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the heart pumps blood, a kidney filters it"] * 9),
        model_prefix=str(tmp_path / "tokenizer"), vocab_size=300, model_type="bpe",
        byte_fallback=True, hard_vocab_limit=False, normalization_rule_name="identity",
        remove_extra_whitespaces=False, minloglevel=2,
    )  # fmt: skip
    named = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(named))
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    tokenizer = load_base_tokenizer(PinnedModel(model=str(tmp_path), revision=None))
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "tokenizer.model"))
    for text in ("the heart", "two  blanks", "kidney, \u4f60\u597d"):
        assert tokenizer.encode(text, add_special_tokens=False) == theirs.encode(text)


def check_memory(base: PinnedModel, micro_batch: tuple[int, int] = (1, 96)) -> None:
    check_memory_and_disk(make_settings(), base, CPU, micro_batch, False, Path("not/there"))


def of_config(folder: Path) -> PinnedModel:
    """A model that has only a configuration yet."""
    (folder / "model.safetensors").touch()
    return PinnedModel(model=str(folder), revision=None)


def test_too_little_memory_or_disk_is_an_error_with_numbers(tmp_path: Path) -> None:
    check_memory(BASE, (8, 96))
    with pytest.raises(BadInput, match=r"training needs about .* TB a device, and there are"):
        check_memory(BASE, (10**9, 96))
    huge = LlamaConfig(hidden_size=16384, num_hidden_layers=500, num_attention_heads=128)
    huge.save_pretrained(tmp_path)
    with pytest.raises(BadInput, match="what helps: lora"):
        check_memory(of_config(tmp_path))


def test_the_memory_of_other_models_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "mamba", "hidden_size": 99999999}')
    check_memory(of_config(tmp_path))
