# Each target does its own set-up in $(VENV); all it needs is Python 3.10 or newer and a C compiler.

VENV ?= .venv
PY := $(VENV)/bin/python
RECORDING ?= examples/speech/goforward.wav
FUZZ_RUNS ?= 10000
ARGS ?=
SUITE ?= all

BUILD_INPUTS := pyproject.toml setup.py $(wildcard _ext/*)

.PHONY: help demo test lint types pythons fuzz sanitize bench docs wheel clean
.DEFAULT_GOAL := help

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: $(VENV)/.set-up-demo  ## real speech to transcripts, over loopback, through every layer
	@$(PY) -m asrproto.cli.demo $(RECORDING) $(ARGS)

test: $(VENV)/.set-up-test  ## the whole test suite
	@$(PY) -m pytest $(ARGS)

lint: $(VENV)/.set-up-lint  ## ruff and cython-lint
	@$(VENV)/bin/ruff check .
	@PATH="$(abspath $(VENV))/bin:$$PATH" cython-lint _ext

types: $(VENV)/.set-up-types  ## mypy in strict mode, pyright; the stubs of compiled modules against the modules
	@$(VENV)/bin/mypy
	@$(VENV)/bin/mypy --config-file pyproject.toml tests/typing/*.py
	@$(VENV)/bin/basedpyright --pythonpath $(PY)
	@$(VENV)/bin/stubtest --ignore-unused-allowlist --allowlist tools/stubtest-allowlist.txt asrproto._kernels

pythons:  ## install into a fresh environment of every Python on this machine and try it
	@tools/try-pythons

fuzz: $(VENV)/.set-up-test  ## FUZZ_RUNS inputs for every decoder; other options in ARGS, see fuzz/README.md
	@$(PY) -m fuzz --runs $(FUZZ_RUNS) $(ARGS)

sanitize:  ## kernels, codecs and conversations under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/sanitize $(VENV)-sanitize $(ARGS)

bench: $(VENV)/.set-up-bench  ## every comparison with its peers: ratios, tables, plots
	@$(PY) -m pytest benchmarks -q --benchmark-disable --in-turns $(ARGS)
	@$(if $(ARGS),,$(PY) -m benchmarks.footprint && $(PY) -m benchmarks.render)

docs: $(VENV)/.set-up-docs  ## the documentation, warnings as errors, into docs/_build/html
	@$(VENV)/bin/sphinx-build -q -E -W --keep-going -d docs/_build/doctrees docs docs/_build/html $(ARGS)

wheel: $(VENV)/.set-up-release  ## sdist and wheels into dist/, checked, tried without a compiler, tested as installed
	@SUITE=$(SUITE) tools/wheel $(VENV)

clean:  ## remove what was built and installed here
	rm -rf $(VENV) $(VENV)-sanitize build dist docs/_build .cache *.egg-info asrproto/_kernels/*.so asrproto/_kernels/*.pyd

# The package is compiled once for all extras, and again when a source has changed.
$(VENV)/.compiled: $(BUILD_INPUTS) tools/set-up
	@tools/set-up $(VENV)
	@touch $@

$(VENV)/.set-up-%: $(VENV)/.compiled
	@tools/set-up $(VENV) $*
	@touch $@
