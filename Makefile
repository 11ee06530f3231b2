# make run · make test · make check · make train · make bench: each installs what it needs into .venv first, and again only
# when a list of requirements has changed.

PYTHON ?= python3
BIN := .venv/bin

# torch and torchvision come from an index of their own (Dockerfile), so that no hash can be told beforehand.
LOCK := $(BIN)/uv pip compile requirements.txt --quiet --generate-hashes --python-version 3.11 --no-header \
	--no-annotate --no-emit-package torch --no-emit-package torchvision --no-emit-index-url

.PHONY: run test check lock train bench words

# By default glibc gives every thread that answers requests a heap of its own, and none of them back.
run: export MALLOC_ARENA_MAX ?= 2
run: .venv/serving.stamp  ## http://127.0.0.1:8000; the API is open because only this machine can reach it
	PLEURA_API=$${PLEURA_API:-open} exec $(BIN)/gunicorn wsgi:app

# Spinning threads starve the processes beside them.
test: export OMP_WAIT_POLICY ?= PASSIVE
test: export GOMP_SPINCOUNT ?= 0
test: .venv/testing.stamp  ## make test ARGS="-k api"
	$(BIN)/python -m pytest $(ARGS)

check: .venv/testing.stamp  ## everything that needs no test: style, types, scripts, spelling, the lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy app training wsgi.py gunicorn.conf.py
	npm run --silent check
	npm test --silent
	git ls-files -z | xargs -0 $(BIN)/codespell
	cp requirements.lock .venv/requirements.lock
	$(LOCK) -o .venv/requirements.lock
	diff requirements.lock .venv/requirements.lock

lock: .venv/testing.stamp  ## pin what serving needs, after a change of requirements.txt; ARGS=--upgrade takes newer ones
	$(LOCK) -o requirements.lock $(ARGS)

# glibc otherwise gives freed tensors back to the kernel at every step, and pays for it in page faults; and threads of
# OpenMP that spin while they wait starve whoever else works. Both are read only when a process starts.
train: export MALLOC_MMAP_THRESHOLD_ := 4294967296
train: export MALLOC_TRIM_THRESHOLD_ := 17179869184
train: export OMP_WAIT_POLICY ?= PASSIVE
train: export GOMP_SPINCOUNT ?= 0
train: .venv/training.stamp  ## make train DATA=films RUN=runs/first ARGS="--epochs 12"
	$(BIN)/python -m training train --data $(DATA) --run $(RUN) $(ARGS)

bench: .venv/testing.stamp  ## how fast films are answered on this machine; docs/performance.md
	$(BIN)/python -m tests.benchmarks.serving $(ARGS)

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/serving.stamp: requirements.txt
.venv/training.stamp: requirements.txt training/requirements.txt
.venv/testing.stamp: requirements.txt training/requirements.txt tests/requirements.txt

.venv/%.stamp: | .venv/bin/python
	$(BIN)/pip install -r $(lastword $^)
	touch $@

words: .venv/testing.stamp  ## bring what is said to readers into the catalogues of other languages, to be translated
	PYTHONPATH=. $(BIN)/pybabel -q extract -F app/translations/babel.cfg -k tr -k tr_n:1,2 -k trN:1,2 -k mark --add-location=file \
		--sort-by-file --no-wrap -o .venv/messages.pot .
	$(BIN)/pybabel -q update -N --ignore-obsolete --no-wrap -i .venv/messages.pot -d app/translations
