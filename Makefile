# `make run` and `make test` are all you need; `make help` lists the rest. Needs git, make and Python 3.11 or newer.

DATASET ?= shop
SIZE ?= medium
SEED ?= 0
ONLY ?=
EXTENSION ?=
JOBS ?= 2
PYTHON ?= python3
QUICK ?=
CONTESTS ?=

ifneq ($(filter serve,$(MAKECMDGOALS)),)
EXTENSION := 1
endif

# One environment per interpreter: .venv, or .venv-python3.13 with PYTHON=python3.13.
VENV := .venv$(addprefix -,$(filter-out python python3,$(notdir $(PYTHON))))
BIN := $(VENV)/bin/python
LOCKS := requirements.lock $(if $(EXTENSION),requirements-extension.lock)

# The first of these that is new enough makes the environment; a PYTHON that was named is taken or refused.
CANDIDATES := $(PYTHON) $(if $(filter file,$(origin PYTHON)),python3.13 python3.12 python3.11)
FOUND = $(shell for p in $(CANDIDATES); do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# The stamp is named after what was installed and where: a new lock or a moved folder installs again, nothing else does.
KEY := $(shell { cat $(LOCKS) pyproject.toml; echo $(LOCKS); pwd; } 2>/dev/null | cksum | tr -d ' ')
STAMP := $(VENV)/installed-$(KEY)
$(shell test -x $(BIN) || rm -f $(VENV)/installed-*)

RUN_NOTEBOOKS := $(BIN) -m reco_utils run --dataset $(DATASET) --size $(SIZE) --seed $(SEED) \
	$(if $(ONLY),--only $(ONLY)) $(if $(EXTENSION),--extension)
COMPILE := $(BIN) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11
NBVAL := -n $(JOBS) --dist loadfile --nbval --nbval-current-env --nbval-sanitize-with=tests/sanitize.cfg
NOTEBOOKS = $(wildcard notebooks/0[0-9]_*.ipynb $(if $(EXTENSION),notebooks/1[0-9]_*.ipynb))

export OPENBLAS_NUM_THREADS := 1
export PYTHONUTF8 := 1
export RECO_EXTENSION := $(if $(EXTENSION),1)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport MPLBACKEND PYTHONPATH PYTHONHOME

# Peers of the benchmarks; PEERS=python and LENSKIT=python name ready environments, then none are made.
PEERS ?= .venv-peers/bin/python
LENSKIT ?= .venv-lenskit/bin/python
PEER_KEY = $(shell cat benchmarks/requirements-$(1).txt | cksum | tr -d ' ')
PEER_STAMPS := $(foreach peer,peers lenskit,$(if $(filter .venv-$(peer)/bin/python,$(PEERS) $(LENSKIT)),\
	.venv-$(peer)/installed-$(call PEER_KEY,$(peer))))

.PHONY: help run test serve lab lint lock bench install clean
.DEFAULT_GOAL := help

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile
	@echo 'Options: DATASET=shop SIZE=small|medium|large SEED=0 ONLY="01 02" EXTENSION=1 PYTHON=python3.13 JOBS=2'
	@echo 'Of bench: QUICK=1 CONTESTS="knn als" PEERS=python LENSKIT=python (of ready environments)'

run: $(STAMP)  ## run the notebooks, then write runs/<dataset>/index.html
	@$(RUN_NOTEBOOKS)

test: $(STAMP)  ## run every test, then compare each notebook with its stored outputs
	@unset ANTHROPIC_API_KEY OPENAI_API_KEY; \
	$(BIN) -m pytest -n $(JOBS) -rs --durations=8 tests; tests=$$?; \
	stored=0; \
	if [ -n "$(NOTEBOOKS)" ]; then $(BIN) -m pytest $(NBVAL) $(NOTEBOOKS); stored=$$?; \
	else echo "no notebooks yet, so no stored outputs to compare"; fi; \
	[ $$tests -eq 0 ] && [ $$stored -eq 0 ]

serve: $(STAMP)  ## train once, then run the shop: the API and its storefront, until Ctrl-C
	@$(BIN) -m reco_utils serve --dataset $(DATASET) --size $(SIZE) --seed $(SEED)

lab: $(STAMP)  ## open JupyterLab in the same environment
	@$(BIN) -m jupyterlab notebooks

lint: $(STAMP)  ## check style everywhere and the format of Python files
	@$(BIN) -m ruff check . && $(BIN) -m ruff format --check reco_utils tests benchmarks

lock: $(STAMP)  ## resolve the newest versions that fit pyproject.toml
	@$(COMPILE) --upgrade --extra dev pyproject.toml -o requirements.lock
	@$(COMPILE) --upgrade --extra dev --extra extension -c requirements.lock pyproject.toml -o requirements-extension.lock
	@for lock in deploy/requirements deploy/requirements-storefront; do \
		$(COMPILE) --upgrade -c requirements-extension.lock $$lock.in -o $$lock.lock || exit 1; done
	@echo "the locks are new; run make test EXTENSION=1"

bench: $(STAMP) $(PEER_STAMPS)  ## time everything beside other libraries, into runs/bench
	@$(BIN) benchmarks --peers $(PEERS) --lenskit $(LENSKIT) $(if $(QUICK),--quick) $(if $(CONTESTS),--only $(CONTESTS))

install: $(STAMP)  ## only create the environment

# uv itself comes out of the lock, with its hashes. An interrupted install leaves `installing` behind and starts afresh.
$(STAMP):
	@for lock in $(LOCKS); do [ -f $$lock ] || { echo "$$lock does not exist yet: leave EXTENSION out"; exit 1; }; done
	@[ -n "$(FOUND)" ] || { echo "Python 3.11 or newer is needed, but $(PYTHON) is" \
		"`$(PYTHON) --version 2>/dev/null || echo not installed`; name another: make install PYTHON=python3.13"; exit 1; }
	@echo "installing into $(VENV) (once; 1.3 GB)"
	@if [ -f $(VENV)/installing ] || [ ! -x $(BIN) ]; then $(FOUND) -m venv --clear $(VENV); fi
	@rm -f $(VENV)/installed-*; touch $(VENV)/installing
	@awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.lock > $(VENV)/uv.txt
	@{ $(BIN) -m pip install --quiet --require-hashes -r $(VENV)/uv.txt \
		&& $(BIN) -m uv pip install --quiet --python $(BIN) --require-hashes --compile-bytecode $(LOCKS:%=-r %); } \
		|| { echo "uv could not install; trying pip"; \
			$(BIN) -m pip install --quiet --require-hashes $(LOCKS:%=-r %) \
			|| { echo "the packages could not be installed: is there a network, and 1.3 GB of room? Then run make again"; exit 1; }; }
	@$(BIN) -m pip install --quiet --no-deps --no-build-isolation -e .
	@rm $(VENV)/installing; touch $@

# LensKit's torch is left to pip, which takes the build for processors alone where it is told of one.
$(PEER_STAMPS): | $(STAMP)
	@echo "installing into $(@D) (once)"
	@$(BIN) -m venv --clear $(@D)
	@peer=$(patsubst .venv-%,%,$(@D)); from="-r benchmarks/requirements-$$peer.txt"; \
	{ [ $$peer = peers ] && $(BIN) -m uv pip install --quiet --python $(@D)/bin/python --compile-bytecode $$from; } \
		|| $(@D)/bin/python -m pip install --quiet $$from
	@touch $@

clean:  ## remove the environments and caches; data/ and runs/ stay
	rm -rf .venv .venv-python3* .venv-peers .venv-lenskit .pytest_cache .ruff_cache .hypothesis build *.egg-info
	find reco_utils tests -name __pycache__ -type d -prune -exec rm -rf {} +
