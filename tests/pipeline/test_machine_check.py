"""`alpacare check` says what cannot run on this machine, and what can be done about it."""

from pathlib import Path

import pytest
from conftest import run
from generated_ledgers import link_what_git_holds, write_params

from alpacare.cli.main import main


@pytest.mark.parametrize(
    ("sources", "buys"),
    [
        ({}, True),
        ({"instructions": "imported/ours"}, True),
        ({"responses": "imported/ours"}, False),
    ],
    ids=["teacher", "own instructions", "own responses"],
)
def test_make_buy_is_named_where_it_buys(
    workspace: Path, sources: dict[str, str], buys: bool
) -> None:
    link_what_git_holds("dvc.yaml", "prompts", "configs", "data")
    Path("data/imported").mkdir()
    Path("data/imported/ours.jsonl").touch()
    write_params(checkpoint={"hardware": "one-node-fsdp2"}, sources=sources)
    refused = run(main, "check")
    assert refused.exit_code == 2
    assert refused.output.startswith("error: checkpoint.hardware"), refused.output
    assert ("`make buy`" in refused.output) == buys
    assert run(main, "targets", "--buy").exit_code == (0 if buys else 2)
