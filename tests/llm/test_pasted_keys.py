"""A key in the settings, which Git and the ledger would have: refused, and no part of it shown."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY, run
from loopback import Running
from staging import write_inputs

from alpacare.core.keys import find_key
from alpacare.llm.endpoints import Endpoint
from alpacare.stages.model_generations import main as model_generations
from alpacare.stages.responses import main as responses

PLAIN = "Q7xK2mP9vR4tW8yB3nL6"  # of no vendor's form
HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
KEY = "sk-proj-" + PLAIN
BEARER = {"extra_headers": {"Authorization": f"Bearer {PLAIN}"}}


def answer() -> tuple[int, str]:
    files = ("tasks.jsonl", "out.jsonl", "--dropped", "d.jsonl", "--usage", "u.json")
    done = run(responses, *files, "--prompt", REPOSITORY / "prompts/responses")
    return done.exit_code, done.output.strip()


def assert_refused(status: int, said: str, *keys: str) -> None:
    assert status == 2, said
    assert len(said.splitlines()) == 1
    written = b"".join(path.read_bytes() for path in Path(".ledger").glob("*"))
    for key in keys or (KEY, PLAIN, HEX):
        parts = [key[n : n + 6] for n in range(len(key) - 5)]
        assert not [part for part in parts if part in said or part.encode() in written], said
    assert not Path("out.jsonl").exists()


def set_params(**endpoint: Any) -> dict[str, Any]:
    write_inputs(3, {"base_url": "https://api.example/v1", **endpoint})
    params: dict[str, Any] = json.loads(Path("params.yaml").read_text())
    return params


@pytest.mark.parametrize("key", [KEY, PLAIN, HEX, HEX.upper(), "my key", 12345678901234567890, ""])
def test_a_key_in_place_of_its_variable(key: Any) -> None:
    set_params(api_key=key)
    status, said = answer()
    assert_refused(status, said, str(key).ljust(6, "*"))
    assert "params.yaml" in said


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "KEY", "AZURE_KEY_2", "GPT4O_EU_TOKEN"])
def test_a_name_of_a_variable_is_none(name: str) -> None:
    Endpoint(base_url=None, api_key=name)


ADDRESSES = [
    f"https://api.example/v1?key={PLAIN}",
    f"https://api.example/v1?api-version=2024-12-01-preview&api-key={HEX}",
    f"https://api.example/v1?subscriptionKey={PLAIN[:9]}",
    f"https://api.example/v1?{PLAIN}",
    f"https://api.example/v1?user={PLAIN}",
    f"https://api.example/v1#{PLAIN}",
    f"https://api.example/{KEY}/v1",
    f"https://{PLAIN}@api.example/v1",
    f"https://:{PLAIN}@api.example/v1",
    f"https://[{PLAIN}",
    PLAIN,
    KEY,
]


@pytest.mark.parametrize("environment", [False, True], ids=["params.yaml", "$OPENAI_BASE_URL"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_key_in_an_address(
    monkeypatch: pytest.MonkeyPatch, address: str, environment: bool
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    set_params(base_url=None if environment else address)
    status, said = answer()
    assert_refused(status, said)
    assert ("OPENAI_BASE_URL" in said) == environment


@pytest.mark.parametrize(
    "address",
    [
        "https://x.openai.azure.com/openai/deployments/gpt-4o-2024-08-06?api-version=2024-12-01-preview",
        f"https://gateway.ai.cloudflare.com/v1/{HEX}/study/openai",
        "http://[::1]:8000/v1?deployment=gpt-4o-mini-2024-07-18",
    ],
)
def test_addresses_of_servers_stay_as_they_are(address: str) -> None:
    assert Endpoint(base_url=address).name == address


@pytest.mark.parametrize(
    "extra",
    [
        {"api_key": "short"},
        {"key": PLAIN},
        BEARER,
        {"metadata": {"x-api-key": HEX}},
        {"tools": [{"headers": {"Authorization": PLAIN}}]},
    ],
)
def test_a_key_among_what_is_sent(extra: dict[str, Any]) -> None:
    params = set_params()
    params["responses"]["extra"] = extra
    Path("params.yaml").write_text(json.dumps(params))
    status, said = answer()
    assert_refused(status, said)
    assert "params.yaml:" in said


@pytest.mark.parametrize(
    "extra",
    [{"prompt_cache_key": "study-7"}, {"stop_token_ids": [1]}, {"logit_bias": {"50256": -100}}],
)
def test_what_servers_understand_is_sent(
    server: Running, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    monkeypatch.setenv("BUDGET", "1")
    params = set_params(base_url=server.url, api_key=None)
    params["responses"]["extra"] = extra
    Path("params.yaml").write_text(json.dumps(params))
    assert answer()[0] == 0


@pytest.mark.parametrize(
    "text",
    [
        f"endpoints: {{ours: {PLAIN}}}",
        f"endpoints: {{ours: {{base_url: null, identity: {KEY}}}}}",
        f"endpoints:\n  ours: {{base_url: null}}\n  ours: {{api_key: {PLAIN}}}",
        f"endpoints: {PLAIN}: {HEX}",
        f"# {KEY}\nendpoints: {{ours: {{base_url: null}}}}",
    ],
)
def test_a_key_anywhere_else(text: str) -> None:
    rest = {"responses": set_params()["responses"]}
    Path("params.yaml").write_text(f"{text}\nresponses: {json.dumps(rest['responses'])}\n")
    assert_refused(*answer())


@pytest.mark.parametrize("line", [f"api_key: {PLAIN}", f"api_key: {KEY}", f"extra: {BEARER}"])
def test_a_key_in_the_folder_of_a_model(line: str) -> None:
    params = set_params()
    section = {"written": [], "api": ["ours"], "local": []}
    Path("params.yaml").write_text(json.dumps({**params, "models": section}))
    folder = Path("prompts/ours")
    folder.mkdir(parents=True)
    shipped = (REPOSITORY / "prompts/models/gpt-4o/settings.yaml").read_text()
    (folder / "settings.yaml").write_text(shipped.replace("extra: {}", line))
    Path("tests.jsonl").write_text(Path("tasks.jsonl").read_text())
    done = run(model_generations, "tests.jsonl", "out", "--prompts", "prompts")
    assert_refused(done.exit_code, done.output.strip())


def test_the_value_of_a_variable_is_known_whatever_its_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CLINIC_TOKEN", "short.but-7-its")
    assert find_key("one\ntwo short.but-7-its") == (2, "the value of $CLINIC_TOKEN")
    monkeypatch.setenv("CLINIC_TOKEN", "self-hosted-server")  # a word that a setting may well have
    assert find_key("endpoint: self-hosted-server") is None
