# The packages that the pipeline runs on, and nothing of the project: `make image` builds it,
# `make train`, `make repro` and `make shell` mount the repository into it (docs/container.md).
#
# PyTorch's wheels bring their own CUDA libraries: of the base only the driver's hooks are used, so its
# smallest flavour will do. Any Debian or Ubuntu with Python 3.11 or newer is a base, too:
#   make image BASE_IMAGE=debian:bookworm-slim
ARG BASE_IMAGE=docker.io/nvidia/cuda:13.0.3-base-ubuntu24.04@sha256:7c7413a56200486f71f181cad9310f6fd31b6bb21816ade15fc9c1e1e927a5c1
FROM ${BASE_IMAGE}

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      ca-certificates git make openssh-client python3 python3-venv tini \
 && rm -rf /var/lib/apt/lists/*

# `docker run --user` may bring a UID that /etc/passwd does not know: then USER and HOME say what DVC
# and git would ask it for, and the home is open to all. The mounted repository is somebody else's to git.
RUN useradd --no-log-init --uid 10001 --create-home --shell /bin/bash app \
 && chmod 1777 /home/app \
 && git config --system --add safe.directory '*'

# Which further locks: remotes, and gpu where there is one (make image EXTRAS="remotes gpu ray benchmarks test").
ARG EXTRAS=remotes
WORKDIR /opt/venv
COPY requirements*.lock ./
# Only the locks that were installed stay: `make` compares them with the repository's. An index's
# address may hold a password, so pip's settings come as a secret, which stays in no layer.
RUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip \
    for extra in ray remotes benchmarks gpu test; do \
      case " $EXTRAS " in *" $extra "*) ;; *) rm -f "requirements-$extra.lock" ;; esac; \
    done \
 && python3 -m venv . \
 && PIP_CONFIG_FILE=/run/secrets/pip bin/pip install --quiet --disable-pip-version-check \
      $(printf -- '--requirement %s ' requirements*.lock) \
 && printf '%s\n' '#!/bin/sh' \
      '[ -d "$PYTHONPATH/alpacare" ] || { echo "error: $PWD: no repository here; mount one" >&2; exit 2; }' \
      'exec python -m alpacare "$@"' > bin/alpacare \
 && chmod 755 bin/alpacare

# A relative PYTHONPATH: the code is that of the repository in whose folder a command starts.
ENV ALPACARE_VENV=/opt/venv \
    PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=src \
    USER=app \
    HOME=/home/app \
    SHELL=/bin/bash \
    LANG=C.UTF-8

USER app
WORKDIR /home/app
# `docker stop` is Ctrl-C to every process: DVC, killed otherwise, would leave a lock that names a process
# number which the next container has, too. The stage first keeps what it has, and holds its lock
# meanwhile: so the container ends when that is free.
STOPSIGNAL SIGINT
ENTRYPOINT ["tini", "-g", "--", "sh", "-c", "umask \"${ALPACARE_UMASK:-022}\"; trap : INT TERM; \"$@\"; status=$?; [ ! -e .dvc/tmp/stage.lock ] || flock .dvc/tmp/stage.lock true; exit $status", "sh"]
CMD ["bash"]
