# Everything a newcomer and CI run. PYTHON builds the environment once; a change of pyproject.toml or constraints.txt rebuilds it.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
PEERS := $(VENV)/peers
EXPERIMENT ?= jobs/experiments/demo.yaml
# Those of `make test-slow`, all by default.
TESTS ?=
# A process a core, each with one thread. Tests of one file share what they set up, so they stay together.
PYTEST := OMP_NUM_THREADS=1 $(PY) -m pytest -q --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: install demo experiment test test-slow fuzz lint docs bench clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("crossmodal needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	@echo "installing into $(VENV), about two minutes ..."
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
	$(PYTEST) -m 'not slow and not fuzz'

test-slow: install
	$(PYTEST) -m slow $(TESTS)

# Damaged files of every format; INPUTS of each.
INPUTS ?= 2000
fuzz: install
	FUZZ_INPUTS=$(INPUTS) $(PY) -m pytest -q -rP -m fuzz tests/preprocessing/fuzz

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy platform/crossmodal preprocessing search_spaces jobs
	PYTHONPATH=platform:. $(VENV)/bin/lint-imports

# Read docs/_build/index.html, with or without a network.
docs: $(VENV)/.docs
	rm -rf docs/_build docs/api/*/
	OMP_NUM_THREADS=1 $(PY) -m sphinx --quiet --fail-on-warning --keep-going docs docs/_build

$(VENV)/.docs: $(VENV)/.installed
	$(PY) -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	touch $@

# Peers of the benchmarks, beside the environment and not in it: MNE takes another way wherever it finds numba. The libraries that they
# name besides are not needed for what is compared, and large. The last one is compiled; where it cannot be, the benchmark leaves it out.
$(PEERS): $(VENV)/.installed
	$(PY) -m pip install --quiet --no-deps --constraint constraints.txt --target $@ mosaicml-streaming brotli python-snappy cramjam zstd xxhash \
		catalogue ptwt ssqueezepy numba llvmlite \
		tvb-library tvb-data numexpr deprecated autopep8 pycodestyle \
		tvboptim jax jaxlib ml_dtypes opt_einsum equinox diffrax lineax optax optimistix jaxtyping wadler-lindig numpyro multipledispatch \
		plum-dispatch beartype dill
	-$(PY) -m pip install --quiet --no-deps --constraint constraints.txt --target $@ fCWT

bench: export OMP_NUM_THREADS := 1
bench: install $(PEERS)
	PYTHONPATH=platform:.:$(PEERS) $(PY) -m benchmarks.batches
	PYTHONPATH=platform:.:$(PEERS) $(PY) -m benchmarks.transforms
	PYTHONPATH=platform:.:$(PEERS) $(PY) -m benchmarks.neural_masses
	PYTHONPATH=platform:. $(PY) -m benchmarks.training
	PYTHONPATH=platform:. $(PY) -m benchmarks.largest_decoder
	PYTHONPATH=platform:. $(PY) -m benchmarks.volume_experiments
	PYTHONPATH=platform:. $(PY) -m benchmarks.volume_models
	PYTHONPATH=platform:. $(PY) -m benchmarks.tuning
	PYTHONPATH=platform:. $(PY) -m benchmarks.listing
	PYTHONPATH=platform:. $(PY) -m benchmarks.preprocessing

clean:
	rm -rf runs docs/_build docs/api/*/
