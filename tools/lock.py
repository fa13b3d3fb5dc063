"""Write the requirements*.lock from what is installed here: `make lock` runs it.

requirements.lock gets what pyproject.toml's dependencies need, down to the last; the lock of an
extra what that extra adds. Versions are those installed, without a build's mark as torch's +cpu.
"""

import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = {  # by extra: the file's first line
    "test": "What tests, style and types need beside requirements.lock",
    "docs": "What `make docs` needs beside requirements.lock",
    "ray": "What Ray adds to requirements.lock",
    "remotes": "What DVC needs to reach S3, Google Cloud Storage and SSH, beside requirements.lock",
    "benchmarks": "What lm-eval adds to requirements.lock",
    "gpu": "What training on a GPU may use beside requirements.lock",
}
WITHOUT = {"pip", "setuptools", "wheel"}  # each environment brings its own
# its wheels are for machines with a GPU: they were installed without what they need
ALONE = {"gpu"}


def closure(lines: Iterable[str], alone: bool = False) -> dict[str, str]:
    """Give a line NAME==VERSION for all packages that requirements need, by normal name."""
    found: dict[str, str] = {}
    wanted = [(Requirement(line), "") for line in lines]
    seen = set()
    for requirement, _ in wanted:
        distribution(requirement.name)  # what is named must be here, or a lock would lose it
    while wanted:
        requirement, extra = wanted.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        for each in ("", *requirement.extras):
            if (name, each) in seen or name in WITHOUT:
                continue
            seen.add((name, each))
            try:
                package = distribution(name)
            except PackageNotFoundError:  # an extra's extra that is not wanted here
                continue
            found[name] = f"{package.name}=={package.version.partition('+')[0]}"
            if not alone:
                wanted += [(Requirement(line), each) for line in package.requires or []]
    return found


def write(path: Path, title: str, lines: Iterable[str]) -> None:
    ordered = sorted(lines, key=str.lower)
    path.write_text("\n".join([f"# {title}, pinned by `make lock`.", *ordered, ""]))


def main() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    base = closure(project["dependencies"])
    write(
        Path("requirements.lock"),
        "All that the pipeline runs on, on a CPU; torch's CUDA build pins its own libraries",
        base.values(),
    )
    for extra, title in LOCKS.items():
        all_of_it = closure(project["optional-dependencies"][extra], extra in ALONE)
        more = [line for name, line in all_of_it.items() if name not in base]
        write(Path(f"requirements-{extra}.lock"), title, more)


if __name__ == "__main__":
    main()
