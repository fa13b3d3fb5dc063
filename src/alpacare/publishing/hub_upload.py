"""Uploads packages to the Hugging Face Hub, each as one commit; present files are not sent again.

The token is the environment's HF_TOKEN or that of `hf auth login`. It is part of no message: an
error's own text may hold a header, so messages have only its kind and the server's status.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from alpacare.core.errors import BadInput
from alpacare.core.hosts import check_host
from alpacare.publishing.package import Package

_TOKEN = re.compile(r"[\x21-\x7e]+")
_RESUME = "the same command goes on with what is missing"
_ADVICE = {
    401: "it does not know this token; renew it, and set HF_TOKEN or run `hf auth login`",
    403: "this token may not write there; give it write access, or name a place of your own",
    404: "there is no such place, or this token may not see it",
    409: "somebody changed it at the same time; give the same command again",
}


def upload(packages: Sequence[tuple[Package, str]], public: bool) -> Iterator[str]:
    """Create each repository if needed, then commit each package; yield lines to print.

    Raises:
        BadInput: no token, the server refuses, the connection broke, or `hosts` in params.yaml
            does not name the Hub's host.
        KeyboardInterrupt: it was stopped; the message says how to continue.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=_token())
    check_host(urlsplit(api.endpoint).hostname or "", "the Hub")
    present = []
    for package, name in packages:  # a refusal comes before gigabytes are sent
        with _one_line(name):
            present.append(_repository(api, package, name, public))
    for (package, name), files in zip(packages, present, strict=True):
        with _one_line(name):
            oid = _commit(api, package, name)
        prefix = "datasets/" if package.kind == "dataset" else ""
        yield f"uploaded: {_host(api.endpoint)}/{prefix}{name} at {oid}"
        if others := sorted(files - package.files.keys() - {".gitattributes"}):
            yield f"note: not of this upload, and still there: {', '.join(others)}"


def _token() -> str:
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise BadInput("no token for the Hub: set HF_TOKEN, or run `hf auth login`")
    if not _TOKEN.fullmatch(token):
        raise BadInput("HF_TOKEN: holds a character that no token has; copy it again")
    return token


def _repository(api: Any, package: Package, name: str, public: bool) -> set[str]:
    """Create the repository, or check that it is as private as asked; return its files."""
    api.create_repo(name, repo_type=package.kind, private=not public, exist_ok=True)
    found = api.repo_info(name, repo_type=package.kind)
    if found.private == public:
        wanted, advice = (
            ("public", "make it so on its page") if public else ("private", "add --public")
        )
        raise BadInput(f"{name}: exists and is not {wanted}; {advice}, or name another")
    return {file.rfilename for file in found.siblings or []}


def _commit(api: Any, package: Package, name: str) -> str:
    from huggingface_hub import CommitOperationAdd

    operations = [
        CommitOperationAdd(path_in_repo=path, path_or_fileobj=content)
        for path, content in sorted(package.files.items())
    ]
    done = api.create_commit(
        name, operations, repo_type=package.kind, commit_message=f"Publish the {package.kind}"
    )
    return str(done.oid)


@contextmanager
def _one_line(name: str) -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"{name}: stopped; {_RESUME}") from stop
    except Exception as error:  # the Hub's storage and the network fail in many ways
        raise BadInput(f"{name}: {_explain(error)}") from None


def _explain(error: BaseException) -> str:
    """Describe an error by the server's status, else by its kind."""
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    for each in causes:
        if status := getattr(getattr(each, "response", None), "status_code", None):
            return f"the Hub answers {status}: {_ADVICE.get(status, _RESUME)}"
        if isinstance(each, ValueError) and str(each).startswith("Invalid metadata"):
            return f"the Hub does not take the card: {' '.join(str(each).split())}"
    return f"the upload broke off ({type(causes[-1]).__name__}); {_RESUME}"


def _host(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
