# Needs make, git and Python 3.11-3.13. Without make: the README has the plain commands.
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What goes into .venv. Another set, as the weekly run has: INSTALL="--group dev ."
INSTALL ?= -r requirements.txt
PORT ?= 8000
WORKERS ?= 2
ROUNDS ?= 3
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# What the environment is made of: another Python, pin or dependency makes it anew, a new date of a
# file or another setting in pyproject.toml doesn't.
RECIPE := import sys, tomllib as t; from pathlib import Path as P; \
	p = t.loads(P("pyproject.toml").read_text()); \
	print(sys.version_info[:2], sys.argv[1:], P("requirements.txt").read_text().split(), \
	p["build-system"], p["project"]["dependencies"], p["dependency-groups"])

# The first Python that fits. Another one: make test PYTHON=python3.12
ifeq ($(origin PYTHON),undefined)
PYTHON = $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
endif

# Settings of one's own that would fail the book with words about something else.
unexport PYTHONPATH PYTHONHOME MATPLOTLIBRC
export KERAS_BACKEND := tensorflow
export TF_CPP_MIN_LOG_LEVEL ?= 3
export PYTHONHASHSEED ?= 0
export PYTHONUTF8 ?= 1

.DEFAULT_GOAL := help
.PHONY: FORCE help install book test execute serve pdf lint format lock repository \
	reproduce replicate rehearse test-colab bench mutants audit status mnist-full cifar10 assignments grade grader-image slides clean

help: ## List the commands
	@echo "make <command>:"
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

install: $(STAMP) ## Create .venv with the pinned packages and utils

# The old environment stays until the new one is whole. Dependency groups need pip 25.1. uv compiles
# to bytecode only when asked to; without that each start of TensorFlow is slow.
$(STAMP): FORCE
	@if [ -z "$(PYTHON)" ] || ! $(PYTHON) -c '$(FITS)'; then \
		echo "The book needs Python 3.11, 3.12 or 3.13. Found: $$($(or $(PYTHON),python3) --version 2>&1)." >&2; \
		echo "Name one of them, e.g. make test PYTHON=python3.12" >&2; exit 1; fi
	@recipe="$$($(PYTHON) -c '$(RECIPE)' '$(INSTALL)')" || exit 1; \
	if [ -f $(STAMP) ] && [ "$$recipe" = "$$(cat $(STAMP))" ]; then exit 0; fi; \
	back() { rm -rf $(VENV); if [ -e $(VENV).old ]; then mv $(VENV).old $(VENV); fi; }; \
	if [ ! -f $(STAMP) ] && [ -e $(VENV).old ]; then back; fi; \
	rm -rf $(VENV).old; if [ -e $(VENV) ]; then mv $(VENV) $(VENV).old; fi; \
	if uv --version >/dev/null 2>&1; then \
		uv venv --quiet --python "$$(command -v $(PYTHON))" $(VENV) && \
		uv pip install --compile-bytecode --python $(BIN)/python $(INSTALL) && \
		uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/python -m pip install --quiet "pip>=25.1" && \
		$(BIN)/python -m pip install $(INSTALL) && \
		$(BIN)/python -m pip install --quiet --no-deps -e . ; \
	fi && printf '%s\n' "$$recipe" > $(STAMP) && rm -rf $(VENV).old || { back; exit 1; }

FORCE:

# Cold every time: a warm build after a failed one can miss warnings.
book: $(STAMP) ## Build the site to _build/html/index.html (runs no notebook)
	@rm -rf _build
	$(BIN)/jupyter-book build . --path-output . -W -n --keep-going

test: lint book ## Check style, build the site, run all notebooks with solutions, and all tests
	$(BIN)/python -m tools.assignments --check --workers $(WORKERS)
	$(BIN)/python -m tools.solutions
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=900 -n $(WORKERS) --dist loadscope _solved tests

execute: $(STAMP) ## Re-run notebooks that are out of date (ALL=1 for all, NOTEBOOK=name for one)
	@$(BIN)/python -m tools.execute $(if $(ALL),--all) $(NOTEBOOK)

reproduce: $(STAMP) ## Run notebooks again and compare with what is stored (NOTEBOOK=name for one)
	@$(BIN)/python -m tools.execute --compare $(NOTEBOOK)

replicate: $(STAMP) ## Run the chapters again on fresh seeds; goes on where it stopped (ROUNDS=3, NOTEBOOK=name)
	@$(BIN)/python -m tools.replicate --rounds $(ROUNDS) $(NOTEBOOK)

rehearse: $(STAMP) ## Run each notebook alone in an empty folder with Colab's versions
	@$(BIN)/python -m tools.rehearse $(NOTEBOOK)

test-colab: ## Run all tests with Colab's versions, then the rehearsal
	$(MAKE) test VENV=.venv-colab INSTALL="--group dev . -c constraints-colab.txt"
	$(MAKE) rehearse VENV=.venv-colab INSTALL="--group dev . -c constraints-colab.txt"

bench: $(STAMP) ## Measure the engine's speed, side by side (some minutes, on an idle machine)
	$(MAKE) install VENV=.venv-jax INSTALL="jax==0.10.2 optax==0.2.8"
	@$(BIN)/python -m tools.bench

mutants: ## Change utils in many small ways and see which changes no test finds (hours; a part: MUTANTS='utils.plot*')
	$(MAKE) install VENV=.venv-mutants INSTALL="-r requirements.txt mutmut==3.8.1"
	.venv-mutants/bin/mutmut run --max-children $(WORKERS) $(MUTANTS)
	.venv-mutants/bin/mutmut results

audit: ## Ask a public database for known weaknesses of the pinned set (needs uv)
	uvx pip-audit --requirement requirements.txt --no-deps --disable-pip

status: $(STAMP) ## Bring the status page and the guide's figures up to date with the notebooks
	@$(BIN)/python -m tools.status

serve: book ## Build the site and show it at http://localhost:8000 (PORT=n for another port)
	$(BIN)/python -m http.server --directory _build/html --bind 127.0.0.1 $(PORT)

pdf: book ## Print the whole book to _build/regularization-book.pdf (needs Chromium)
	@$(BIN)/python -m tools.pdf

lint: $(STAMP) ## Check style and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

format: $(STAMP) ## Mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMP) ## Compile pyproject.toml into requirements.txt (UPGRADE=1 for the newest versions)
	@$(BIN)/python -m tools.lock $(if $(UPGRADE),--upgrade)

repository: $(STAMP) ## Point everything at a fork: make repository URL=https://github.com/you/book
	@$(BIN)/python -m tools.repository "$(URL)"

mnist-full: $(STAMP) ## Full-size MNIST runs behind the recorded tables (some hours; can be resumed)
	$(BIN)/python -m tools.record mnist_full --workers $(WORKERS)
	$(BIN)/python -m tools.record mnist_literature --workers $(WORKERS)

cifar10: $(STAMP) ## Record the CIFAR-10 ablation (some hours; goes on where it was stopped)
	$(BIN)/python -m tools.record cifar10 --workers $(WORKERS)

assignments: $(STAMP) ## Build the assignments from their masters: student versions, archives, solutions
	@$(BIN)/python -m tools.assignments --workers $(WORKERS)

grade: assignments ## Grade a class: make grade SUBMISSIONS=folder ASSIGNMENT=dropout (OUT=folder STUDENT=name)
	@[ -n "$(SUBMISSIONS)" ] && [ -n "$(ASSIGNMENT)" ] || { \
		echo "make grade SUBMISSIONS=folder-or-archive ASSIGNMENT=dropout" >&2; exit 1; }
	@$(BIN)/python -m tools.grading "$(SUBMISSIONS)" "$(ASSIGNMENT)" $(if $(OUT),--out "$(OUT)") \
		$(if $(STUDENT),--student "$(STUDENT)") $(OPTIONS)

slides: $(STAMP) ## Write slides of all chapters to _slides/
	@$(BIN)/python -m tools.slides

grader-image: ## Build the Docker image to grade in, where there is no bubblewrap
	docker build --file tools/grading/Dockerfile --tag regularization-book-grader .

clean: ## Remove the site and the virtual environment
	rm -rf _build _solved _assignments _slides mutants $(VENV) .venv-colab .venv-mutants .venv-jax .pytest_cache .ruff_cache .hypothesis
