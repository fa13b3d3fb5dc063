"""Keys by the forms of their vendors, and what looks like one and is none."""

import pytest
from conftest import REPOSITORY

from alpacare.core.keys import find_key, find_secret_setting

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6kL9nO2qR5tU8wX1zA4cD7fG0iJ3lM6oP9rS2uV5xY8bN1dQ4"
HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "key",
    [
        "sk-" + "proj-" + LETTERS[:48],
        "sk-" + "svcacct-" + LETTERS[:48],
        "sk-" + "ant-api03-" + LETTERS[:60],
        "sk-" + "or-v1-" + HEX,
        "gsk_" + LETTERS[:52],
        "r8_" + LETTERS[:37],
        "hf_" + LETTERS[:34],
        "AIza" + LETTERS[:35],
        "ASIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + LETTERS[:36],
        "github_" + "pat_" + LETTERS[:30],
        "glpat-" + LETTERS[:20],
        "xox" + "b-1234567890-" + LETTERS[:24],
        "sk_" + "live_" + LETTERS[:24],
        "npm_" + LETTERS[:36],
        LETTERS[:52] + "JQQJ99" + LETTERS[:26],
        "eyJ" + LETTERS[:20] + ".eyJ" + LETTERS[:20] + "." + LETTERS[:20],
        "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
        "Authorization: Bearer " + LETTERS[:40],
        "AZURE_OPENAI_API_KEY=" + HEX[:32],
        'api-key: "' + HEX[:32] + '"',
        "export WANDB_API_KEY='" + HEX[:40] + "'",
        "aws_secret_access_key = " + LETTERS[:20] + "/+" + LETTERS[:18],
        '{\\"access_token\\": \\"' + LETTERS[:40] + '\\"}',
    ],
    ids=lambda key: key[:20],
)
def test_a_key_is_found_by_its_form_or_by_the_word_before_it(key: str) -> None:
    assert find_key(f"one line\nand here: {key}\n") is not None, key


@pytest.mark.parametrize(
    "text",
    [
        "Name the hot-key: a high-risk-stratification-of-patients task-0123456789abcdefghij.",
        f'"request": "{HEX}", "key": "{HEX}", "md5": "{HEX[:32]}"',
        "api_key: OPENAI_API_KEY  # the variable with the key",
        "api_key: OUR_SECOND_AZURE_OPENAI_KEY_2",
        "Access token rings; the bearer of BRCA1: c.5266dupC (p.Gln1756Profs) and HLA-B*57:01",
        "The secret key to adherence: once-daily-dosing-regimens-for-2-or-3-months.",
    ],
)
def test_hashes_names_and_medical_text_are_no_keys(text: str) -> None:
    assert find_key(text) is None


def test_no_key_is_seen_in_the_data_and_records_of_this_repository() -> None:
    files = [*(REPOSITORY / "data").rglob("*.jsonl"), *REPOSITORY.glob("*.lock")]
    assert len(files) > 5
    for path in files:
        assert find_key(path.read_text(encoding="utf-8")) is None, path


def test_settings_are_searched_at_any_depth_whatever_their_names() -> None:
    assert find_secret_setting({"logit_bias": {50256: "-100"}, "stop": [["a"], 1]}) is None
    hidden = {"tools": [{}, {"headers": {"Authorization": "Token abcdef123"}}]}
    assert find_secret_setting(hidden) == "tools.1.headers.Authorization"
