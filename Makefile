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
  remote push pull publish real-model test test-tools lint types stale lock clean

# After `##` what a target does; after ` -- ` what it may be given, on a line of its own.
help:  ## list the targets
	@echo 'make TARGET [NAME=value ...]'
	@awk -F ':.*## ' '/^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {split($$2, part, " -- "); printf "  %-16s %s\n", $$1, part[1]; \
	  if (part[2]) printf "  %-16s  %s\n", "", part[2]}' Makefile

##@ Set up

ifdef ALPACARE_VENV
setup:
	@for lock in "$$ALPACARE_VENV"/requirements*.lock; do cmp -s "$${lock##*/}" "$$lock" || { \
	  echo "error: $${lock##*/} is not the one that the image was built of; outside, run: make image" >&2; exit 2; }; done

gpu ray remotes benchmarks test-tools: setup
	@test -e "$$ALPACARE_VENV/requirements-$(@:test-tools=test).lock" || { \
	  echo 'error: the image was built without $(@:test-tools=test); outside, run: make image EXTRAS="remotes $(@:test-tools=test)"' >&2; exit 2; }
else
setup: $(VENV)/.complete  ## make .venv with every version pinned

# The marker is written last: it exists only when the installation is complete.
$(VENV)/.complete: requirements.lock pyproject.toml
	@"$$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "error: $$PYTHON is no Python of 3.11 or newer; run: make PYTHON=python3.12 setup" >&2; exit 2; }
	@"$$PYTHON" tools/install.py requirements.lock --project
	@touch $@

gpu: $(VENV)/.gpu  ## add what a GPU may use: Liger's kernels, 8-bit AdamW

ray: $(VENV)/.ray  ## add Ray, for filtered.engine: ray

remotes: $(VENV)/.remotes  ## add what remotes in S3, Google Cloud Storage, SSH need

benchmarks: $(VENV)/.benchmarks  ## add lm-eval, for `benchmarks` of params.yaml

test-tools: $(VENV)/.test
endif

$(VENV)/.gpu $(VENV)/.ray $(VENV)/.remotes $(VENV)/.benchmarks $(VENV)/.docs $(VENV)/.test: $(VENV)/.%: requirements-%.lock $(VENV)/.complete
	@"$$PYTHON" tools/install.py $<
	@touch $@

##@ Run

demo: repro-here  ## run the whole pipeline on the demo; leaderboard, report
	@alpacare leaderboard
	@alpacare report

repro:  ## check everything, then run what changed
	@tools/container run make repro-here

# with an imported file in `sources`, the stages that it replaces are left as they are
repro-here: setup
	@alpacare check --run
	@alpacare changes
	@targets=$$(alpacare targets) && dvc repro $$targets

buy:  ## buy the answers that need no trained student -- BUDGET=5 before make, in the environment
	@tools/container run make buy-here

buy-here: setup
	@targets=$$(alpacare targets --buy) && alpacare check --run $$targets && dvc repro $$targets

# a cluster's jobs choose their container themselves: configs/launchers/slurm/job.sh
train:  ## train the students of params.yaml, what is missing -- [STUDENT=half-rows] [SEED=1] [WHERE=slurm [DETACH=1]]
	@$(if $(filter-out local,$(call given,WHERE)),,tools/container run) make train-here \
	  $(foreach name,STUDENT SEED WHERE DETACH,$(if $(call given,$(name)),$(name)="$$$(name)"))

train-here: setup
	@alpacare train $(call option,--where,WHERE) $(call option,--student,STUDENT) $(call option,--seed,SEED) \
	  $(call flag,--detach,DETACH)

##@ In a container

image:  ## build the container's image -- [BASE_IMAGE=...] [EXTRAS="remotes gpu ray benchmarks"]
	@tools/container image

shell:  ## open a shell where the pipeline runs
	@tools/container shell

container-check:  ## build the image, run the demo in it on a copy of this clone
	@tools/container check

##@ Settings and data

# BASE goes into the file of the preset's student, and into the local model that is the same base
preset: setup  ## write a preset's settings into params.yaml -- NAME=alpacare-7b [BASE=folder or id@commit]
	@alpacare preset $(call text,NAME) $(call option,--base,BASE)

graph: setup  ## draw the stages: reports/pipeline.svg
	@alpacare graph

presets: setup  ## list the presets: what each is, buys, and runs on
	@alpacare presets

fetch: setup  ## download published data -- DATASET=medinstruct-test
	@alpacare fetch $(call text,DATASET)

import: setup  ## start from your own rows -- STAGE=responses FILE=... [MODEL=who] [COLUMNS="output=Name"]
	@alpacare import $(call text,STAGE) $(call text,FILE) $(call option,--name,NAME) $(call option,--model,MODEL) \
	  $(call option,--columns,COLUMNS) $(call option,--split,SPLIT) $(call option,--config,CONFIG)

##@ Before a run

quote: setup  ## say what the paid stages would cost; spends nothing
	@alpacare quote

changes: setup  ## say which expensive stages would run again, and why
	@alpacare changes

accept: setup  ## accept an edit of code that changes no result -- STAGE=checkpoint
	@alpacare accept $(call text,STAGE)

check: setup  ## check every setting and input file in a second
	@alpacare check

##@ Results

leaderboard: setup  ## rank all models -- [TEST=demo] [JUDGE=overlap]
	@alpacare leaderboard $(call option,--test,TEST) $(call option,--judge,JUDGE)

compare: setup  ## compare two models, or one in two commits -- A=half-rows B=all-rows [TEST=demo] [JUDGE=overlap]
	@alpacare compare $(call text,A) $(call text,B) $(call option,--test,TEST) $(call option,--judge,JUDGE)

scores: setup  ## print every win rate, a line for each comparison
	@alpacare scores

diff: setup  ## compare scores, or rows, with another commit -- REV=HEAD~1 [DATA=1]
	@alpacare diff $(call text,REV,HEAD) $(call flag,--data,DATA)

report: setup  ## write the report page, and open it
	@alpacare report --open

agreement: setup  ## say how far judges agree, with one another and people
	@alpacare agreement

review: setup  ## let people compare answers -- TEST=demo REFERENCE=terse [STUDENT= SEED= N=50 WIDTH=20]
	@alpacare review $(call text,TEST) $(call text,REFERENCE) --n $(call text,N,50) $(call option,--width,WIDTH) \
	  $(call option,--student,STUDENT) $(call option,--seed,SEED)

table: setup  ## print a paper's tables -- [FORMAT=latex] [STYLE=bioinstruct]
	@alpacare table --format $(call text,FORMAT,markdown) $(call option,--style,STYLE)

funnel: setup  ## count what stayed and what went at each stage, and why
	@alpacare funnel

doctor: setup  ## check this machine, this clone, and what they reach
	@alpacare doctor

##@ With others

remote: setup  ## share through a remote -- URL=s3://bucket/folder [WEIGHTS=URL]
	@alpacare remote $(call text,URL) $(call option,--weights,WEIGHTS)

push: setup  ## push outputs, run-cache and new answers to the remote
	@alpacare push

pull: setup  ## pull what colleagues made and paid for
	@alpacare pull

publish: setup  ## write data and weights for others -- TO=folder OUT=published LICENCE=... [STUDENT= SEED= YES=1]
	@alpacare publish $(call option,--to,TO) $(call option,--out,OUT) $(call option,--student,STUDENT) \
	  $(call option,--seed,SEED) $(call option,--dataset,DATASET) \
	  $(call option,--model,MODEL) $(call option,--licence,LICENCE) \
	  $(call option,--model-licence,MODEL_LICENCE) $(call option,--licence-text,LICENCE_TEXT) \
	  $(call flag,--public,PUBLIC) $(call flag,--yes,YES)

##@ Develop

real-model: setup  ## train, ask and judge a real model here, without a hub -- [ROWS=60]
	@tools/real-model $(call text,ROWS,60)

docs: $(VENV)/.docs  ## build the documentation site from docs/: site/index.html
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict

test: test-tools ray remotes benchmarks $(VENV)/.docs  ## run all tests, the pipeline in a temporary clone too
# Three processes on two cores: a fifth of the time tests wait for servers, clocks and other processes.
	@pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: test-tools  ## check style
	@ruff check && ruff format --check

types: test-tools  ## check types
	@mypy

stale: setup  ## say which stages are not what dvc.lock says
	@tools/stale-lock

# All at once, so that the locks agree with one another; tools/lock.py says what each part needs of it.
lock:  ## pin the newest versions that pyproject.toml allows
	rm -rf $(VENV)
	"$$PYTHON" -m venv $(VENV)
	pip install --quiet --disable-pip-version-check torch==2.13.0
	pip install --quiet --disable-pip-version-check --editable '.[test,docs,ray,remotes,benchmarks]'
	pip install --quiet --disable-pip-version-check --no-deps bitsandbytes liger-kernel
	python tools/lock.py

clean:  ## remove .venv; data, models and the ledger stay
	rm -rf .venv
