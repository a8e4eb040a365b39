# What the README and CONTRIBUTING.md name. PYTHON chooses the interpreter that .venv is made with.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: bench coverage demo docs test

# The last line that a training prints is the folder of its run.
demo: .venv/installed
	@paths=$$($(BIN)/ganzoo train creatures) && run=$$(echo "$$paths" | tail -n 1) && printf '%s\n' "$$paths" "" \
	  "The first path above is the picture of creatures that your own GAN drew. What to type next:" "" \
	  "    source .venv/bin/activate" \
	  "    ganzoo list                                  # architectures, losses, recipes, data" \
	  "    ganzoo sample $$run --set body=dome,eyes=wink     # draw what you ask for" \
	  "    ganzoo train dcgan                           # handwritten digits" \
	  "    ganzoo train photos --data FOLDER_OF_IMAGES  # your own pictures"

test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

# TESTS=tests/test_recipe.py measures a part of the suite.
coverage: .venv/installed
	$(BIN)/coverage erase
	OMP_NUM_THREADS=1 $(BIN)/coverage run -m pytest -n 2 --dist loadfile $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The site, in site/; opens from the disk, too.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

bench: .venv/installed
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/sharing.py

# What an editable installation copies: the metadata of ganzoo and of its plugins. All else counts at once.
.venv/installed: pyproject.toml hatch_build.py ganzoo/_version.py $(wildcard plugins plugins/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit("ganzoo needs Python 3.11 or newer: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[test,docs]"
	@touch $@
