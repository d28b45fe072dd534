# Every target makes what it needs in .venv and reuses it; nothing is installed anywhere else.
# Files are named relative to this directory, so that its path may hold spaces.

PY := .venv/bin/python
ENV := .venv/.complete
CODE := $(wildcard plugins include dags tests)

export PYTHONPATH := $(CURDIR)/include
unexport VIRTUAL_ENV
unexport AIRFLOW_HOME

.DEFAULT_GOAL := help
.PHONY: help demo test soak sandbox bench lint lock clean

help:
	@echo 'make demo      start PostgreSQL, Airflow and the sandbox, play the story, stop (DEMO_KEEP=1: stay up until Ctrl-C)'
	@echo 'make test      lint, types, import contract, and all tests but the long ones, with coverage'
	@echo 'make soak      the tests that take long: series of kills and restarts'
	@echo 'make sandbox   start the local FS, Canvas and mail server alone (PORT=8900)'
	@echo 'make bench     measure at full size and print the table of docs/benchmarks.md'
	@echo 'make lint      ruff, mypy and the import contract alone'
	@echo 'make lock      bring requirements.txt and requirements-dev.txt in step with pyproject.toml'
	@echo 'make clean     remove .venv, .run and all caches'
	@echo
	@echo 'All make .venv when it is missing, with PYTHON=... (3.11 to 3.13) or the first that fits.'

demo: $(ENV)
	@exec $(PY) -m demo

sandbox: $(ENV)
	@exec $(PY) -m sandbox

test: lint
	@$(PY) -m pytest -m 'not soak' --cov -n auto

soak: $(ENV)
	@$(PY) -m pytest -m soak

bench: $(ENV)
	@$(PY) -m tests.bench

lint: $(ENV)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy $(CODE)
	@$(PY) .venv/bin/lint-imports

# Pins that still fit are kept; to renew them all, delete the two files' pins first.
COMPILE := $(PY) -m uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header -q

lock: $(ENV)
	@$(COMPILE) -o requirements.txt
	@$(COMPILE) --extra demo --extra test -c requirements.txt -o requirements-dev.txt

clean:
	@if [ -L .run/demo/postgres/private ]; then rm -rf -- "$$(readlink .run/demo/postgres/private)"; fi
	@rm -rf .venv .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(ENV): requirements-dev.txt pyproject.toml
	@scripts/prepare-venv >&2
	@touch $@
