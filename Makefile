# Every target but `clean` first makes sure that .venv/ holds what pyproject.toml and constraints.txt ask for.
# PIP_FLAGS goes to pip: an index with CPU builds of torch keeps gigabytes of CUDA packages away.

PIP_FLAGS ?=
TEST_WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup demo test lint types bench clean

setup: $(READY)

# The stamp is written last, so that an interrupted install is done again.
$(READY): pyproject.toml constraints.txt
	@python=""; for name in python3.11 python3.12 python3.13 python3.14 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "make: no Python 3.11 or newer found" >&2; exit 1; fi; \
	[ -x $(BIN)/python ] || $$python -m venv .venv
	@echo 'installing medsegan and what it needs into .venv/ (minutes, once)'
	@$(BIN)/python -m pip install --disable-pip-version-check -qq $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)
	$(BIN)/medsegan demo demo/ --overwrite

# One thread a worker: two workers with two threads each get in each other's way on two cores.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m benchmarks.step

clean:
	rm -rf .venv build dist demo *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
