# Everything is done by tools/; what a target does is told in README.md and by `make help`.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)
TOOLS := @$(PYTHON) -m tools
export PYTHONDONTWRITEBYTECODE = 1
ARGS =

.PHONY: help setup run test check generate bench chaos fuzz

help:
	@echo "make run       set up what is missing, start the server on http://127.0.0.1:8787 (ARGS=\"--www-port=8788\")"
	@echo "make setup     only the set-up of make run"
	@echo "make test      the same set-up, then every test that this machine can run (ARGS=\"tests/rserver_core -x\")"
	@echo "make check     formatter, linter, types, import rules, generated files"
	@echo "make generate  write the generated files anew"
	@echo "make bench     the benchmarks (ARGS=\"start memory\")"
	@echo "make chaos     random faults; nothing that was confirmed may be lost (ARGS=\"--seed 7 --operations 100\")"
	@echo "make fuzz      coverage-guided fuzzing of what reads foreign bytes (ARGS=\"--seconds 600 --target requests\")"

setup run test check generate bench chaos fuzz:
	$(TOOLS) $@ $(ARGS)
