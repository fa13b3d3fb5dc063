# Short names for what people do; `make help` lists them. Everything runs in .venv, made on demand.

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup gpu ray demo repro train preset presets test-set quote scores diff agreement check \
  test lint types lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

setup: $(VENV)/.complete  ## make .venv with every version pinned

# The marker is written last: it exists only when the installation is complete.
$(VENV)/.complete: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: $(PYTHON) is older than 3.11; run: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --requirement requirements.lock
	pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

gpu: $(VENV)/.gpu  ## add what training on a GPU may use: Liger's kernels, 8-bit AdamW

$(VENV)/.gpu: $(VENV)/.complete requirements-gpu.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-gpu.lock
	@touch $@

ray: $(VENV)/.ray  ## add Ray to .venv, for filtered.engine: ray

$(VENV)/.ray: $(VENV)/.complete requirements-ray.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-ray.lock
	@touch $@

demo: repro  ## run the whole pipeline on the embedded default and print the scores
	@alpacare scores

repro: check  ## rebuild what changed: settings and files are checked first, then dvc repro
	@dvc repro

train: check  ## train on what the teacher answered, with the preset in force
	@dvc repro checkpoint curves

preset: setup  ## put a preset in force: make preset NAME=alpacare-7b [BASE=folder or id@commit]
	@alpacare preset '$(NAME)' $(if $(BASE),--base '$(BASE)')

presets:  ## list the presets
	@awk 'FNR == 1 { print FILENAME ":" substr($$0, 2) }' presets/*.yaml

test-set: setup  ## bring in a published test set: make test-set NAME=medinstruct-test
	@alpacare test-set '$(NAME)'

quote: setup  ## say what the paid stages would ask and cost; spends nothing
	@alpacare quote

check: setup  ## check every setting and input file in a second, before anything is touched
	@alpacare check

scores: setup  ## print the table of scores
	@alpacare scores

diff: setup  ## compare the scores with another commit's, item by item: make diff REV=HEAD~1
	@alpacare diff '$(or $(REV),HEAD)'

agreement: setup  ## say how far the judges agree, with one another and with people
	@alpacare agreement

test: ray  ## run all tests, the pipeline in a temporary clone too
	@pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: setup  ## check style
	@ruff check && ruff format --check

types: setup  ## check types
	@mypy

FREEZE := pip freeze --exclude alpacare | sed -E 's/ @ .*//; s/\+cpu//'

lock:  ## pin the newest versions that pyproject.toml allows in requirements.lock
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check torch==2.13.0
	pip install --quiet --disable-pip-version-check --editable '.[dev]'
	{ echo "# Every version, pinned by \`make lock\` on a CPU; torch's CUDA build pins its own libraries."; \
	  $(FREEZE); } > requirements.lock
	pip install --quiet --disable-pip-version-check --editable '.[ray]'
	{ echo "# What Ray adds to requirements.lock, pinned by \`make lock\`."; \
	  $(FREEZE) | grep --invert-match --line-regexp --fixed-strings --file requirements.lock; \
	} > requirements-ray.lock
	pip install --quiet --disable-pip-version-check --no-deps bitsandbytes liger-kernel
	{ echo "# What training on a GPU may use beside requirements.lock, pinned by \`make lock\`."; \
	  $(FREEZE) | grep --extended-regexp '^(bitsandbytes|liger.kernel)=='; \
	} > requirements-gpu.lock

clean:  ## remove the environment; data, models and the ledger stay
	rm -rf $(VENV)
