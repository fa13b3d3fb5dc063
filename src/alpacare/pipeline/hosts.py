"""Where text goes: which file's, to which host, and for what, by today's settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.hosts import refuse_host
from alpacare.core.settings import check, read_yaml
from alpacare.display.text import wrapped
from alpacare.judging.judges import LLMJudge, read_judge, read_rubric_judge
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.request_settings import RequestSettings
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.sources import skipped_stages
from alpacare.sharing.remote_hosts import read_remotes
from alpacare.training.trackers import tracker_host
from alpacare.verification.checking import read_verifier


class Destination(NamedTuple):
    """What leaves this machine, for which host, and who sends it for what."""

    what: str
    host: str
    purpose: str


def list_destinations(params: Params) -> list[Destination]:
    """List all that leaves by the stages, by trackers and by `alpacare push`.

    Raises:
        BadInput: settings of a judge, a model or a sorter are wrong.
    """
    sent = [
        Destination(str(file), host, f"{purpose}, through {source}" if number else purpose)
        for purpose, endpoint, files in _asked(params)
        for number, (host, source) in enumerate(_named(params, endpoint).list_readers())
        for file in files
    ]
    for name in params.training.report_to:
        if host := tracker_host(name):
            sent.append(Destination("losses and settings", host, f"report_to: {name}"))
    sent += [
        Destination("data, weights, paid answers", host, f"alpacare push, {name}")
        for name, host in read_remotes()
    ]
    return sent


def describe_destinations(params: Params) -> list[str]:
    """Give lines to print: one for each file and host, with all that it is sent for."""
    purposes: dict[tuple[str, str], list[str]] = {}
    for what, host, purpose in list_destinations(params):
        purposes.setdefault((what, host), []).append(purpose)
    lines = [f"{what} -> {host} ({'; '.join(all)})" for (what, host), all in purposes.items()]
    if not lines:
        return ["no text leaves this machine"]
    return ["what leaves this machine:", *(wrapped(line, "    ") for line in lines)]


def check_destinations(params: Params) -> None:
    """Check each host that text goes to against `hosts`.

    Raises:
        BadInput: text would go to a host that `hosts` does not name.
    """
    for what, host, purpose in list_destinations(params):
        refuse_host(host, f"{what}, for {purpose}", params.hosts)


def _asked(params: Params) -> Iterator[tuple[str, str, list[Path]]]:
    """Yield who asks an LLM, the endpoint's name, and the files whose text it gets."""
    skipped = skipped_stages(params)
    for stage, source in (("instructions", "seeds"), ("responses", "filtered")):
        if stage not in skipped:
            yield stage, getattr(params, stage).endpoint, [paths.rows(source)]
    for name in params.verifiers:
        (prompt,) = dependencies("verified", "prompts/", verifier=name)
        (rows,) = dependencies("verified", "data/", verifier=name)
        yield f"verifier {name}", read_verifier(prompt).endpoint, [rows]
    for name in params.categories:
        (prompt,) = dependencies("categories", "prompts/", sorter=name)
        yield f"sorter {name}", _endpoint(prompt), [paths.training_rows(params)]
    tests = [paths.test_set(test) for test in params.tests]
    for name in params.generations.servers:
        yield "the students", name, tests
    (prompts,) = dependencies("model_generations", "prompts/")
    for name in params.models.api:
        yield f"model {name}", _endpoint(prompts / name), tests
    for name in params.judgments.judges:
        judge = read_judge(paths.judge(name))
        if isinstance(judge, LLMJudge):
            yield f"judge {name}", judge.endpoint, _judged(params)
    labels = [paths.labels(name) for name in params.labels]
    for name in params.judgments.rubric_judges:
        endpoint = read_rubric_judge(paths.judge(name)).endpoint
        yield f"judge {name}", endpoint, [*_judged(params), *labels]


def _judged(params: Params) -> list[Path]:
    """List the folders of answers that judges read: the students', and the other models'."""
    judged, run = params.judgments, params.runs()[0]
    folders: dict[Path, None] = {}
    for test in params.tests:
        folders[paths.generations(test, run).parents[1]] = None
        for name in (*judged.contestants, *judged.references):
            folders[paths.answers(test, name).parent] = None
    return list(folders)


def _endpoint(prompt: Path) -> str:
    """Read whom a folder with a prompt asks."""
    path = prompt / "settings.yaml"
    return check(read_yaml(path), RequestSettings, f"{path}: ").endpoint


def _named(params: Params, endpoint: str) -> Endpoint:
    if endpoint not in params.endpoints:
        known = ", ".join(params.endpoints)
        raise BadInput(f"params.yaml: endpoint '{endpoint}' is not in section 'endpoints': {known}")
    return params.endpoints[endpoint]
