# make lab | test | test-slow | test-browser | lint | notebooks | models | models-quick | book | clean
# The first call sets up .venv; later ones start at once. PYTHON picks the interpreter (3.11 or newer), PIP_ARGS goes
# to every pip install, LAB_ARGS to JupyterLab, PYTEST_ARGS to pytest.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORPORA ?= stories arithmetic code
DRAFTERS ?= independent cp-r8 hmm btree masked-k8 ptp-k8 cptp-k8
JOINT := --rank 8 --depth 1 --hidden 192 --head-rank 8 --mixing token --objective dpace --batch 512 --positions 200000
SHIP_cp-r8 := cp $(JOINT)
SHIP_hmm := hmm $(JOINT)
SHIP_btree := btree $(JOINT)
SLOTS := --rank 32 --anchors 128 --batch 256 --precision bfloat16
OWN := $(SLOTS) --rate 3e-3 --text own --positions 1000000 --steps 800
SHIP_masked-k8 := masked $(SLOTS) --rate 6e-3 --positions 1500000 --steps 2000
SHIP_ptp-k8 := ptp --variant one-hot $(OWN)
SHIP_cptp-k8 := ptp --variant categorical --loss kl $(OWN)
START_ptp-k8 = --start $$corpus/masked-k8
START_cptp-k8 = $(START_ptp-k8)

.PHONY: help setup lab test test-slow test-browser lint notebooks models models-quick book clean
help:
	@echo "make lab           set up, then open JupyterLab on notebooks/00_start_here.ipynb (localhost only)"
	@echo "make test          set up, then run every fast test that needs no browser"
	@echo "make test-slow     tests of minutes: every causal model type of transformers, hostile calls"
	@echo "make test-browser  the tests that drive a real Chromium"
	@echo "make lint          ruff, and the notebooks' form"
	@echo "make notebooks     run every notebook whole and time it"
	@echo "make models        rebuild data/models (hours); make models-quick: one corpus, few steps, into runs/quick"
	@echo "make book          run the notebooks and render them to HTML in book/"
	@echo "make clean         remove what make has made, .venv included"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mtp-explore needs Python 3.11 or newer, and $(PYTHON) is %d.%d: try make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV): a few minutes and about 1.5 GB, once."
	$(BIN)/python -m pip install --no-compile $(PIP_ARGS) -c constraints.txt -e ".[dev]"
	@touch $@

lab: $(READY)
	$(BIN)/mtp-explore lab $(LAB_ARGS)

test: $(READY)
	$(BIN)/python -m pytest -q -m "not browser and not slow" -n auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

test-slow: $(READY)
	$(BIN)/python -m pytest -q -m slow -n auto --maxprocesses 4 --dist load $(PYTEST_ARGS)

test-browser: $(READY)
	$(BIN)/python -m pytest -q tests/browser $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/run_notebooks.py check

notebooks: $(READY)
	MTP_FAST=1 $(BIN)/python tests/run_notebooks.py run

# DRAFTERS are names of directories; where it is not the drafter's own, SHIP_<directory> says what lies there.
# Every file of data/models, from nothing: hours on two cores. TRAIN_ARGS=--resume continues a killed backbone.
models: $(READY)
	for corpus in $(CORPORA); do \
	  $(BIN)/python -m mtp_explore.train.pretrain $$corpus --out runs/first/$$corpus $(TRAIN_ARGS) || exit 1; \
	  $(BIN)/python -m mtp_explore.train.pretrain $$corpus --start runs/first/$$corpus --seed 1 \
	    --out data/models/$$corpus/backbone $(TRAIN_ARGS) || exit 1; \
	  $(foreach d,$(DRAFTERS),$(BIN)/python -m mtp_explore.train.ship $$corpus $(or $(SHIP_$d),$d) $(START_$d) --out data/models/$$corpus/$d || exit 1;) \
	done

# The same commands with few steps, for one corpus, into runs/quick: the shipped files stay as they are.
models-quick: CORPORA := stories
models-quick: START_ptp-k8 = --start runs/quick/$$corpus/masked-k8
models-quick: $(READY)
	for corpus in $(CORPORA); do \
	  $(BIN)/python -m mtp_explore.train.pretrain $$corpus --quick --runs runs/quick --out runs/quick/$$corpus/backbone || exit 1; \
	  $(foreach d,$(DRAFTERS),$(BIN)/python -m mtp_explore.train.ship $$corpus $(or $(SHIP_$d),$d) $(START_$d) --quick --out runs/quick/$$corpus/$d || exit 1;) \
	done

book: $(READY)
	$(BIN)/python tests/run_notebooks.py book

clean:
	rm -rf $(VENV) book build dist runs .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
