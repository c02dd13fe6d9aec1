# Everything a newcomer and CI run. PYTHON builds the environment once; a change of pyproject.toml or constraints.txt rebuilds it.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
EXPERIMENT ?= jobs/experiments/demo.yaml

.PHONY: install demo experiment test test-slow lint bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("crossmodal needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --constraint constraints.txt torch
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: EXPERIMENT := jobs/experiments/demo.yaml
demo: experiment

experiment: install
	$(PY) jobs/simulate.py $(EXPERIMENT)
	$(PY) jobs/preprocess.py $(EXPERIMENT)
	$(PY) jobs/train.py $(EXPERIMENT)
	$(PY) jobs/evaluate.py $(EXPERIMENT)

test: install
	$(PY) -m pytest -q -m 'not slow'

test-slow: install
	$(PY) -m pytest -q -m slow

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy platform/crossmodal preprocessing search_spaces jobs
	PYTHONPATH=platform:. $(VENV)/bin/lint-imports

bench: install
	# Peers of the benchmarks; the libraries they name beside these are not needed for what is compared, and large.
	$(PY) -m pip install --quiet --no-deps --constraint constraints.txt mosaicml-streaming brotli python-snappy cramjam zstd xxhash catalogue
	$(PY) -m pip install --quiet --no-deps --constraint constraints.txt ptwt ssqueezepy numba llvmlite
	# This one is compiled; where it cannot be, the benchmark leaves it out.
	-$(PY) -m pip install --quiet --no-deps --constraint constraints.txt fCWT
	PYTHONPATH=platform:. OMP_NUM_THREADS=1 $(PY) -m benchmarks.batches
	PYTHONPATH=platform:. OMP_NUM_THREADS=1 $(PY) -m benchmarks.transforms
	PYTHONPATH=platform:. OMP_NUM_THREADS=1 $(PY) -m benchmarks.training
	PYTHONPATH=platform:. OMP_NUM_THREADS=1 $(PY) -m benchmarks.tuning
	PYTHONPATH=platform:. OMP_NUM_THREADS=1 $(PY) -m benchmarks.preprocessing

clean:
	rm -rf runs
