# Every target but `clean` first makes sure that .venv/ holds what pyproject.toml and constraints.txt ask for.
# PIP_FLAGS goes to pip: an index with CPU builds of torch keeps gigabytes of CUDA packages away.

PIP_FLAGS ?=
TEST_WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready
PLAIN_TESTS := $(addprefix tests/,ops voxels geometry metrics slices models inversion)

.PHONY: setup kernels demo test lint types bench wheel clean

setup: kernels

# The stamp is written last, so that an interrupted install is done again.
$(READY): pyproject.toml constraints.txt
	@python=""; for name in python3.11 python3.12 python3.13 python3.14 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "make: no Python 3.11 or newer found" >&2; exit 1; fi; \
	[ -x $(BIN)/python ] || $$python -m venv .venv
	@echo 'installing medsegan and what it needs into .venv/ (minutes, once)'
	@$(BIN)/python -m pip install --disable-pip-version-check -qq $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

# CPU kernels where there is a C++ compiler, CUDA kernels where there is an nvcc (MEDSEGAN_CUDA=auto|0|1). Kernels make
# medsegan faster, not different: a machine that cannot build them goes on without. What is up to date takes no time.
kernels: $(READY)
	@{ $(BIN)/python cuda_ext/build_kernels.py && { $(BIN)/python -c 'import medsegan_cuda' 2>/dev/null || \
	  $(BIN)/python -m pip install --disable-pip-version-check -qq --no-deps --no-build-isolation -e cuda_ext; }; } || \
	  { [ "$$MEDSEGAN_CUDA" != 1 ] && echo 'make: going on without compiled kernels' >&2; }

demo: kernels
	$(BIN)/medsegan demo demo/ --overwrite

# One thread a worker: two workers with two threads each get in each other's way on two cores.
# Then once more without the kernels: everything that uses them has a plain form.
test: kernels
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --plain -q $(PLAIN_TESTS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY)
	$(BIN)/mypy

bench: kernels
	$(BIN)/python -m benchmarks.ops
	$(BIN)/python -m benchmarks.step

# Both distributions. The kernels' wheel fits every Python 3 and every torch from 2.10 on.
wheel: kernels
	$(BIN)/python -m pip wheel --disable-pip-version-check -q --no-build-isolation --no-deps -w dist . ./cuda_ext
	@ls dist/*.whl

clean:
	rm -rf .venv build dist demo *.egg-info cuda_ext/build cuda_ext/*.egg-info cuda_ext/medsegan_cuda/*.so cuda_ext/medsegan_cuda/build.json .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
