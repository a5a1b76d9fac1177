# Everything a fresh machine needs is Python 3.11 and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

.PHONY: demo test test-all lint format clean

demo: $(READY)
	rm -rf demo
	$(BIN)/hierattn demo --out demo

test: $(READY)
	$(BIN)/pytest -n auto --dist loadscope -m "not slow"

test-all: $(READY)
	$(BIN)/pytest -n auto --dist loadscope

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
