# make lab | test | test-browser | lint | notebooks | models | models-quick | book | clean
# The first call sets up .venv; later ones start at once. PYTHON picks the interpreter (3.11 or newer), PIP_ARGS goes
# to every pip install, LAB_ARGS to JupyterLab, PYTEST_ARGS to pytest.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup lab test test-browser lint notebooks models models-quick book clean
help:
	@echo "make lab           set up, then open JupyterLab on notebooks/00_start_here.ipynb (localhost only)"
	@echo "make test          set up, then run every test that needs no browser"
	@echo "make test-browser  the tests that drive a real Chromium"
	@echo "make lint          ruff, and the notebooks' form"
	@echo "make notebooks     run every notebook whole and time it"
	@echo "make models        rebuild data/models; make models-quick: a lesser budget, minutes on two cores"
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
	$(BIN)/python -m pytest -q -m "not browser" $(PYTEST_ARGS)

test-browser: $(READY)
	$(BIN)/python -m pytest -q -m browser $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tests/run_notebooks.py check

notebooks: $(READY)
	MTP_FAST=1 $(BIN)/python tests/run_notebooks.py run

book: $(READY)
	$(BIN)/python tests/run_notebooks.py book

clean:
	rm -rf $(VENV) book build dist runs .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
