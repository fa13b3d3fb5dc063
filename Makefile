# Short names for what people do; `make help` lists them. Everything runs in .venv, made on demand;
# `repro`, `train` and `shell` run in the container where docker or podman answers (ENGINE=none: not).

# What is given on the command line is text, in which `$` stands for itself. Recipes find it in the
# environment, and put it in quotes: neither make nor a shell runs any of it.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),\
  $(eval override $(name) := $$(value $(name)))$(eval export $(name))))
# An argument that is given, and not what happens to be in the environment under the same name.
override given = $(if $(filter override,$(origin $1)),$($1))
override text = $(if $(call given,$1),"$$$1",'$2')
override option = $(if $(call given,$2),$1 "$$$2")
override flag = $(if $(call given,$2),$1)

override SHELL := /bin/bash
override VENV := .venv
MAKEFLAGS += --no-print-directory
export PYTHON ?= python3
ifdef ALPACARE_VENV  # in the container: the image's packages, this clone's code
export PYTHONPATH := $(CURDIR)/src
else
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
endif

.DEFAULT_GOAL := help
.PHONY: help setup gpu ray remotes benchmarks docs demo repro repro-here buy buy-here train train-here image shell container-check \
  preset presets graph fetch import quote changes accept check leaderboard compare scores report diff agreement review table funnel doctor \
  remote push pull publish real-model test lint types stale lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

ifdef ALPACARE_VENV
setup:
	@for lock in "$$ALPACARE_VENV"/requirements*.lock; do cmp --silent "$${lock##*/}" "$$lock" || { \
	  echo "error: $${lock##*/} is not the one that the image was built of; outside, run: make image" >&2; exit 2; }; done

gpu ray remotes benchmarks: setup
	@test -e "$$ALPACARE_VENV/requirements-$@.lock" || { \
	  echo 'error: the image was built without $@; outside, run: make image EXTRAS="remotes $@"' >&2; exit 2; }
else
setup: $(VENV)/.complete  ## make .venv with every version pinned

# The marker is written last: it exists only when the installation is complete.
$(VENV)/.complete: requirements.lock pyproject.toml
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: $$PYTHON is older than 3.11; run: make PYTHON=python3.12 setup" >&2; exit 2; }
	"$$PYTHON" -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --requirement requirements.lock
	pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

gpu: $(VENV)/.gpu  ## add what training on a GPU may use: Liger's kernels, 8-bit AdamW

$(VENV)/.gpu: $(VENV)/.complete requirements-gpu.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-gpu.lock
	@touch $@

ray: $(VENV)/.ray  ## add Ray to .venv, for filtered.engine: ray

remotes: $(VENV)/.remotes  ## add what remotes in S3, Google Cloud Storage and by SSH need

benchmarks: $(VENV)/.benchmarks  ## add lm-eval to .venv, for `benchmarks` of params.yaml
endif

$(VENV)/.ray: $(VENV)/.complete requirements-ray.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-ray.lock
	@touch $@

$(VENV)/.remotes: $(VENV)/.complete requirements-remotes.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-remotes.lock
	@touch $@

$(VENV)/.benchmarks: $(VENV)/.complete requirements-benchmarks.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-benchmarks.lock
	@touch $@

$(VENV)/.docs: $(VENV)/.complete requirements-docs.lock
	pip install --quiet --disable-pip-version-check --requirement requirements-docs.lock
	@touch $@

docs: $(VENV)/.docs  ## build the documentation site from docs/: site/index.html
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict

demo: repro-here  ## run the whole pipeline on the embedded default, print the leaderboard, write the report
	@alpacare leaderboard
	@alpacare report

repro:  ## rebuild what changed: settings and files are checked first, then dvc repro
	@tools/container run make repro-here

# with an imported file in `sources`, the stages that it replaces are left as they are
repro-here: setup
	@alpacare check --run
	@alpacare changes
	@targets=$$(alpacare targets) && dvc repro $$targets

buy:  ## buy the answers that need no trained student, on any machine: BUDGET=5 make buy
	@tools/container run make buy-here

buy-here: setup
	@targets=$$(alpacare targets --buy) && alpacare check --run $$targets && dvc repro $$targets

# a cluster's jobs choose their container themselves: configs/launchers/slurm/job.sh
train:  ## train what is missing of params.yaml: make train [STUDENT=half-rows] [SEED=1] [WHERE=slurm [DETACH=1]]
	@$(if $(filter-out local,$(call given,WHERE)),,tools/container run) make train-here \
	  $(foreach name,STUDENT SEED WHERE DETACH,$(if $(call given,$(name)),$(name)="$$$(name)"))

train-here: setup
	@alpacare train $(call option,--where,WHERE) $(call option,--student,STUDENT) $(call option,--seed,SEED) \
	  $(call flag,--detach,DETACH)

image:  ## build the container's image: make image [BASE_IMAGE=...] [EXTRAS="remotes gpu ray benchmarks"]
	@tools/container image

shell:  ## open a shell where the pipeline runs; in the running container, if there is one
	@tools/container shell

container-check:  ## build the image, and run the demo in it on a copy of this clone
	@tools/container check

# BASE goes into the file of the preset's student, and into the local model that is the same base
preset: setup  ## write a preset's settings into params.yaml: make preset NAME=alpacare-7b [BASE=folder or id@commit]
	@alpacare preset $(call text,NAME) $(call option,--base,BASE)

graph: setup  ## draw the stages: reports/pipeline.svg
	@alpacare graph

presets: setup  ## list the presets: what each is, what it would buy, what it runs on
	@alpacare presets

fetch: setup  ## bring in published data: make fetch DATASET=medinstruct-test, medinstruct-52k, ...
	@alpacare fetch $(call text,DATASET)

import: setup  ## start from your own: make import STAGE=responses FILE=... [MODEL=who] [COLUMNS="output=Their name"]
	@alpacare import $(call text,STAGE) $(call text,FILE) $(call option,--name,NAME) $(call option,--model,MODEL) \
	  $(call option,--columns,COLUMNS) $(call option,--split,SPLIT) $(call option,--config,CONFIG)

quote: setup  ## say what the paid stages would ask and cost; spends nothing
	@alpacare quote

changes: setup  ## say which expensive stages would run again, and why
	@alpacare changes

accept: setup  ## accept an edit of code that changes no result: make accept STAGE=checkpoint
	@alpacare accept $(call text,STAGE)

check: setup  ## check every setting and input file in a second, before anything is touched
	@alpacare check

leaderboard: setup  ## rank all models: make leaderboard [TEST=demo] [JUDGE=overlap]
	@alpacare leaderboard $(call option,--test,TEST) $(call option,--judge,JUDGE)

compare: setup  ## compare two models, or one in two commits: make compare A=half-rows B=all-rows [TEST= JUDGE=]
	@alpacare compare $(call text,A) $(call text,B) $(call option,--test,TEST) $(call option,--judge,JUDGE)

scores: setup  ## print every win rate, a line for each comparison
	@alpacare scores

diff: setup  ## compare scores, or rows, with another commit: make diff REV=HEAD~1 [DATA=1]
	@alpacare diff $(call text,REV,HEAD) $(call flag,--data,DATA)

report: setup  ## write the report page from what is here, and open it
	@alpacare report --open

agreement: setup  ## say how far the judges agree, with one another and with people
	@alpacare agreement

review: setup  ## let people compare answers: make review TEST=demo REFERENCE=terse [STUDENT=.. SEED=.. N=50 WIDTH=20]
	@alpacare review $(call text,TEST) $(call text,REFERENCE) --n $(call text,N,50) $(call option,--width,WIDTH) \
	  $(call option,--student,STUDENT) $(call option,--seed,SEED)

table: setup  ## print a paper's tables: make table [FORMAT=latex] [STYLE=bioinstruct]
	@alpacare table --format $(call text,FORMAT,markdown) $(call option,--style,STYLE)

funnel: setup  ## count what stayed and what went at each stage, and why
	@alpacare funnel

doctor: setup  ## check this machine, this clone, and what they reach
	@alpacare doctor

remote: setup  ## share through a remote: make remote URL=s3://bucket/folder [WEIGHTS=URL]
	@alpacare remote $(call text,URL) $(call option,--weights,WEIGHTS)

push: setup  ## push outputs, run-cache and new answers to the remote
	@alpacare push

pull: setup  ## pull what colleagues made and paid for
	@alpacare pull

publish: setup  ## write data and weights for others: make publish TO=folder OUT=published LICENCE=... [STUDENT= SEED= YES=1]
	@alpacare publish --to $(call text,TO) $(call option,--out,OUT) $(call option,--student,STUDENT) \
	  $(call option,--seed,SEED) $(call option,--dataset,DATASET) \
	  $(call option,--model,MODEL) $(call option,--licence,LICENCE) \
	  $(call option,--model-licence,MODEL_LICENCE) $(call option,--licence-text,LICENCE_TEXT) \
	  $(call flag,--public,PUBLIC) $(call flag,--yes,YES)

real-model: setup  ## train, ask and judge a real model here, without a hub: make real-model [ROWS=54]
	@tools/real-model $(call text,ROWS,54)

test: ray remotes benchmarks $(VENV)/.docs  ## run all tests, the pipeline in a temporary clone too
	@pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: setup  ## check style
	@ruff check && ruff format --check

types: setup  ## check types
	@mypy

stale: setup  ## say which stages are not what dvc.lock says; needs no data
	@tools/stale-lock

override FREEZE := pip freeze --exclude alpacare | sed -E 's/ @ .*//; s/\+cpu//'
override BEYOND := grep --invert-match --line-regexp --fixed-strings --file requirements.lock

# All at once first, so that the locks agree with one another; then what each part needs of it.
lock:  ## pin the newest versions that pyproject.toml allows in the requirements*.lock
	rm -rf $(VENV)
	"$$PYTHON" -m venv $(VENV)
	pip install --quiet --disable-pip-version-check torch==2.13.0
	pip install --quiet --disable-pip-version-check --editable '.[dev,docs,ray,remotes,benchmarks]'
	$(FREEZE) > $(VENV)/all.txt
	"$$PYTHON" -m venv --clear $(VENV)/part
	$(VENV)/part/bin/pip install --quiet --disable-pip-version-check --constraint $(VENV)/all.txt torch==2.13.0 '.[dev]'
	{ echo "# Every version, pinned by \`make lock\` on a CPU; torch's CUDA build pins its own libraries."; \
	  $(VENV)/part/bin/$(FREEZE); } > requirements.lock
	set -e; for extra in docs ray remotes benchmarks; do \
	  "$$PYTHON" -m venv --clear $(VENV)/part; \
	  $(VENV)/part/bin/pip install --quiet --disable-pip-version-check --constraint $(VENV)/all.txt \
	    torch==2.13.0 ".[dev,$$extra]"; \
	  { echo "# What extra \`$$extra\` adds to requirements.lock, pinned by \`make lock\`."; \
	    $(VENV)/part/bin/$(FREEZE) | $(BEYOND); } > "requirements-$$extra.lock"; \
	done
	pip install --quiet --disable-pip-version-check --no-deps bitsandbytes liger-kernel
	{ echo "# What training on a GPU may use beside requirements.lock, pinned by \`make lock\`."; \
	  $(FREEZE) | grep --extended-regexp '^(bitsandbytes|liger.kernel)=='; \
	} > requirements-gpu.lock

clean:  ## remove the environment; data, models and the ledger stay
	rm -rf .venv
