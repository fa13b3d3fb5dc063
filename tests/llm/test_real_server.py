"""The client against an independent server: `transformers serve` with a tiny model."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Server, serving

from alpacare.core.errors import BadInput
from alpacare.core.texts import repair_text
from alpacare.llm.client import ask
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.request import Request, chat, complete

pytestmark = pytest.mark.slow

MODEL = "tiny"


def make_model(folder: Path) -> None:
    """A LLaMA with random weights that never ends an answer by itself, and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>"], initial_alphabet=letters, show_progress=False
    )
    bpe.train_from_iterator(["What helps against a cold? Rest and tea."], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", pad_token="<s>")
    tokenizer.chat_template = (
        "{% for each in messages %}{{ each['role'] }}: {{ each['content'] }}\n{% endfor %}"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        bos_token_id=0,
        eos_token_id=None,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("serve")
    make_model(folder / MODEL)
    with serving(folder, MODEL) as running:
        yield running


@pytest.fixture
def endpoint(server: Server, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    """The server as a user configures it: no key, no price, no cost."""
    monkeypatch.setenv("BUDGET", "0")
    (workspace / "prices.yaml").write_text("tiny: {input: 0, output: 0}\n")
    return Endpoint(base_url=server.url, api_key=None)


def questions(endpoint: Endpoint, count: int, retry_max_tokens: int | None = None) -> list[Request]:
    return [
        chat(
            endpoint,
            MODEL,
            [{"role": "user", "content": f"What helps against {number} colds?"}],
            max_tokens=8,
            temperature=0,
            label=f"q{number}",
            retry_max_tokens=retry_max_tokens,
        )
        for number in range(count)
    ]


def post(server: Server, request: Request) -> str:
    """The server's answer to the same body, past the client."""
    call = urllib.request.Request(
        server.url + request.path,
        json.dumps(request.body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(call, timeout=60) as reply:
        choice = json.load(reply)["choices"][0]
    return str(choice["message"]["content"] if "message" in choice else choice["text"])


def test_chats_are_answered_without_a_key_and_a_second_ask_calls_nobody(
    server: Server, endpoint: Endpoint
) -> None:
    requests = questions(endpoint, 6)
    before = server.calls()
    answers = ask(requests)
    assert server.calls() == before + 6
    assert ask(requests) == answers
    assert server.calls() == before + 6
    with Ledger(default_path()) as ledger:
        assert [ledger.get(request.key()) for request in requests] == answers
    assert {(a.tokens_out, a.finish_reason, a.price) for a in answers} == {(8, "length", 0.0)}
    assert all(answer.tokens_in > 8 and answer.model.startswith(MODEL) for answer in answers)
    assert [a.text for a in answers] == [repair_text(post(server, each)) for each in requests]


def test_a_plain_completion_is_answered(server: Server, endpoint: Endpoint) -> None:
    request = complete(endpoint, MODEL, "What helps", max_tokens=8, temperature=0)
    (answer,) = ask([request])
    assert answer.tokens_out == 8
    assert answer.text == repair_text(post(server, request))


def test_an_answer_that_was_cut_off_is_asked_again_with_a_higher_limit(endpoint: Endpoint) -> None:
    (answer,) = ask(questions(endpoint, 1, retry_max_tokens=20))
    assert answer.tokens_out == 20
    assert answer.cut is not None
    assert answer.cut.tokens_out == 8


def test_a_model_that_the_server_does_not_have_gives_one_line_with_its_reason(
    endpoint: Endpoint, workspace: Path
) -> None:
    (workspace / "prices.yaml").write_text("huge: {input: 0, output: 0}\n")
    request = chat(endpoint, "huge", [{"role": "user", "content": "?"}], max_tokens=8, label="q0")
    with pytest.raises(BadInput, match=r"q0: 400, .*pinned to 'tiny'; requested 'huge'") as raised:
        ask([request])
    assert "\n" not in str(raised.value)
