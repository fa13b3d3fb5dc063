"""Packages to the Hugging Face Hub, each as one commit; what is there already is not sent again.

The token is the environment's HF_TOKEN or that of `hf auth login`. It is part of no message: an
error's own text may hold a header, so only its kind and the server's status are told.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from alpacare.core.errors import BadInput
from alpacare.publishing.package import Package

_TOKEN = re.compile(r"[\x21-\x7e]+")
_GO_ON = "the same command goes on with what is missing"
_ADVICE = {
    401: "it does not know this token; renew it, and set HF_TOKEN or run `hf auth login`",
    403: "this token may not write there; give it write access, or name a place of your own",
    404: "there is no such place, or this token may not see it",
    409: "somebody changed it at the same time; give the same command again",
}


def upload(packages: Sequence[tuple[Package, str]], public: bool) -> Iterator[str]:
    """Make each repository if need be, then commit each package, and say where it is.

    Raises:
        BadInput: no token, a refusal of the server, or a connection that broke.
        KeyboardInterrupt: it was stopped; the text says that it can go on.
    """
    from huggingface_hub import HfApi

    api = HfApi(token=_token())
    there = []
    for package, name in packages:  # a refusal comes before gigabytes are sent
        with _one_line(name):
            there.append(_repository(api, package, name, public))
    for (package, name), others in zip(packages, there, strict=True):
        with _one_line(name):
            oid = _commit(api, package, name)
        prefix = "datasets/" if package.kind == "dataset" else ""
        yield f"uploaded: {_host(api.endpoint)}/{prefix}{name} at {oid}"
        if stays := sorted(others - package.files.keys() - {".gitattributes"}):
            yield f"note: not of this upload, and still there: {', '.join(stays)}"


def _token() -> str:
    from huggingface_hub import get_token

    token = get_token()
    if not token:
        raise BadInput("no token for the Hub: set HF_TOKEN, or run `hf auth login`")
    if not _TOKEN.fullmatch(token):
        raise BadInput("HF_TOKEN: holds a character that no token has; copy it anew")
    return token


def _repository(api: Any, package: Package, name: str, public: bool) -> set[str]:
    """Make the repository or see that it is as private as was asked; name the files in it."""
    api.create_repo(name, repo_type=package.kind, private=not public, exist_ok=True)
    found = api.repo_info(name, repo_type=package.kind)
    if found.private == public:
        wanted, way = (
            ("public", "make it so on its page") if public else ("private", "add --public")
        )
        raise BadInput(f"{name}: is there and not {wanted}; {way}, or name another")
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
        raise KeyboardInterrupt(f"{name}: stopped; {_GO_ON}") from stop
    except Exception as error:  # the Hub's storage and the network fail in many ways
        raise BadInput(f"{name}: {_explain(error)}") from None


def _explain(error: BaseException) -> str:
    """Say what went wrong: by the status that the server gave, else by the kind of error."""
    seen: BaseException | None = error
    while seen is not None:
        status = getattr(getattr(seen, "response", None), "status_code", None)
        if status is not None:
            return f"the Hub answers {status}: {_ADVICE.get(status, _GO_ON)}"
        if isinstance(seen, ValueError) and str(seen).startswith("Invalid metadata"):
            return f"the Hub does not take the card: {' '.join(str(seen).split())}"
        seen = seen.__cause__ or seen.__context__
    return f"the upload broke off ({type(_root(error)).__name__}); {_GO_ON}"


def _root(error: BaseException) -> BaseException:
    cause = error.__cause__ or error.__context__
    return _root(cause) if cause else error


def _host(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
