# Troth's main jobs. `make` alone says what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
ARGS ?=

.PHONY: help demo test check liars matrix bench lock clean
help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 10

# A stamp per lock file: installing again happens only when the lock (or the build file) changed.
$(VENV)/%.stamp: requirements/%.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "troth: needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "troth: cannot create $(VENV); on Debian: apt install python3-venv" >&2; exit 1; }
	@echo "installing requirements/$*.txt (hashes checked) ..."
	@$(PIP) install --require-hashes -r $<
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

# sslyze holds cryptography at 46, so it lives in an environment of its own (docs/why/0002-scan-environment.md).
.venv-scan/scan.stamp: requirements/scan.txt
	@test -x .venv-scan/bin/python || $(PYTHON) -m venv .venv-scan
	@echo "installing requirements/scan.txt (hashes checked) ..."
	@.venv-scan/bin/python -m pip --disable-pip-version-check --no-input -q install --require-hashes -r $<
	@touch $@

demo: $(VENV)/demo.stamp .venv-scan/scan.stamp ## the example application behind Troth, its page proving itself
	@$(BIN)/troth up --demo $(ARGS)

test: $(VENV)/test.stamp .venv-scan/scan.stamp ## every test; each liar against its own promise
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

liars: $(VENV)/test.stamp .venv-scan/scan.stamp ## every liar against every check; signs what was seen red
	@$(BIN)/python tests/liars/matrix.py $(ARGS)

matrix: $(VENV)/test.stamp .venv-scan/scan.stamp ## a seeded part of that: SAMPLE=10 SEED=x
	@$(BIN)/python tests/liars/matrix.py --sample $(or $(SAMPLE),10) --seed $(or $(SEED),1)

check: $(VENV)/test.stamp ## lint, types, import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: $(VENV)/test.stamp .venv-scan/scan.stamp ## every measurement with its conditions; ONLY=edge,guard for some
	@$(BIN)/python bench --only "$(ONLY)"

lock: ## recompute the locked, hashed requirements (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements/run.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra=demo pyproject.toml -o requirements/demo.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --extra=demo --extra=test pyproject.toml -o requirements/test.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header requirements/scan.in -o requirements/scan.txt
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header requirements/fuzz.in -o requirements/fuzz.txt

clean: ## remove what was built here
	@rm -rf $(VENV) .venv-scan .venv-fuzz .fuzz .mypy_cache .ruff_cache .pytest_cache build dist

# The fuzzer is a large library of Google's, for this alone: an environment of its own (docs/why/0048-fuzzing.md).
.venv-fuzz/fuzz.stamp: requirements/run.txt requirements/fuzz.txt
	@test -x .venv-fuzz/bin/python || $(PYTHON) -m venv .venv-fuzz
	@echo "installing requirements/fuzz.txt (hashes checked) ..."
	@.venv-fuzz/bin/python -m pip --disable-pip-version-check --no-input -q install --require-hashes -r requirements/run.txt -r requirements/fuzz.txt
	@touch $@

.PHONY: fuzz
fuzz: .venv-fuzz/fuzz.stamp ## parsers, grammars and doors, guided by coverage: SECONDS=60 each, ONLY=xml,doors
	@PYTHONPATH=src .venv-fuzz/bin/python tests/fuzz --seconds $(or $(SECONDS),60) --only "$(ONLY)"

.PHONY: docs
docs: $(VENV)/test.stamp ## write docs/reference from the code
	@$(BIN)/python docs/generate.py

.PHONY: demo-once
demo-once: $(VENV)/test.stamp .venv-scan/scan.stamp ## the demo from start to a verified page, then stop
	@$(BIN)/python bench/demo.py $(ARGS)

# Applications that are not ours, in a place outside the repository; not part of `make test`.
FOREIGN ?= $(or $(TROTH_FOREIGN),$(or $(TMPDIR),/tmp)/troth-foreign)
.PHONY: foreign
foreign: $(VENV)/test.stamp ## well-known applications behind Troth, by browser; ARGS=wordpress for one
	@test -x $(FOREIGN)/browser/bin/python || $(PYTHON) -m venv $(FOREIGN)/browser
	@$(FOREIGN)/browser/bin/python -c 'import playwright' 2>/dev/null || $(FOREIGN)/browser/bin/python -m pip -q --disable-pip-version-check install playwright
	@TROTH_FOREIGN=$(FOREIGN) $(FOREIGN)/browser/bin/python bench/foreign $(ARGS)
