# `make demo` and `make test` each do all their own set-up in a fresh clone.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install -c constraints.txt

.PHONY: demo test test-spark fuzz clean
demo: $(VENV)/.demo
	@$(BIN)/sbrt-followup worklist sample_cohorts/clinic.csv -f table --imaging sample_cohorts/clinic_imaging.csv --as-of 2025-06-15

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -n 2 --ignore tests/spark

# Mutated files through the readers, for FUZZ_SECONDS (default an hour); FUZZ_SEED begins elsewhere. What fails is kept in fuzz-failures/.
fuzz: $(VENV)/.test
	FUZZ_SECONDS=$${FUZZ_SECONDS:-3600} $(BIN)/python -m pytest tests/tables/test_fuzz.py -q -s

# A cluster engine of its own: needs Java 17 or later.
test-spark: $(VENV)/.spark
	$(BIN)/python -m pytest tests/spark

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sbrt-followup needs Python 3.11 or later; run: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) >&2

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing sbrt-followup into $(VENV) (once, about a minute) ..." >&2
	@$(PIP) -e . >&2
	@$(BIN)/python -m compileall -q sbrt_followup
	@touch $@

$(VENV)/.test: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing sbrt-followup and its test tools into $(VENV) (once, about two minutes) ..." >&2
	@$(PIP) -e '.[test]' >&2
	@$(BIN)/python -m compileall -q sbrt_followup
	@touch $@

$(VENV)/.spark: $(VENV)/.test
	@command -v java >/dev/null || { echo "PySpark needs Java 17 or later (Debian: apt-get install default-jre-headless)" >&2; exit 2; }
	@echo "Installing PySpark into $(VENV) (once) ..." >&2
	@$(PIP) -e '.[test,spark]' >&2
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
