# Every target sets up what it needs in .venv; nothing is installed anywhere else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-slow check codegen codegen-check spec-diff bench clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/.with-demo  ## stream recorded interactions from a loopback server, live
	@$(BIN)/python -m gemwire.replay.demo $(ARGS)

test: $(VENV)/.with-test  ## run the tests, but for the slow ones
	$(BIN)/python -m pytest $(ARGS)

test-slow: $(VENV)/.with-check  ## run the slow tests alone
	$(BIN)/python -m pytest -m slow $(ARGS)

check: $(VENV)/.with-check codegen-check  ## lint, both type checkers, generated code up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright

codegen: $(VENV)/.with-codegen  ## write models and operations from spec/
	$(BIN)/python -m codegen

codegen-check: $(VENV)/.with-codegen  ## fail if they are not what codegen writes
	$(BIN)/python -m codegen --check

spec-diff: $(VENV)/.with-codegen  ## what document NEW changes of OLD; ARGS=--json for JSON
	@$(BIN)/python -m codegen.diff $(OLD) $(NEW) \
	    --overlay spec/overlay.yaml --decisions spec/decisions.toml $(ARGS)

bench: $(VENV)/.with-bench  ## time gemwire against its peers, in one run
	$(BIN)/python -m pytest bench -o testpaths=bench --benchmark-only $(ARGS)
	$(BIN)/python -m bench.ratios

clean:  ## remove the environment and what tools leave behind
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +

# One marker for each extra of pyproject.toml, renewed when that changes.
$(VENV)/.with-%: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing gemwire[$*] into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@
