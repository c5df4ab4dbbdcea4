# Every command of this project. `make` lists them; CI runs the same commands (.ci/run).
PY ?= python3
V := .venv
RUN := $(V)/bin/python -m
# More than cores: with two, a worker used three quarters of a core.
WORKERS ?= 3
EMULATED := snowflake databricks bigquery
DRIVERS := postgres,redshift,snowflake,bigquery,databricks,clickhouse,trino,mysql,mssql
# These scenarios read a source in each way; the others try the engine, which make ci-all does with each warehouse too.
SCENARIOS ?= tests/scenarios/test_sources.py tests/scenarios/test_updates.py
# A statement takes Spark a third of a second.
SCENARIOS_databricks := tests/scenarios/test_sources.py tests/scenarios/test_updates.py
# Each worker starts a Spark, which uses two cores.
WORKERS_databricks := 1
PYTHONS := 3.10 3.11 3.12 3.13
# The environment of test-airflow: the newest version, or the one that AIRFLOW names.
IN_AIRFLOW := airflow$(addprefix -,$(AIRFLOW))
# What another Python or another version of a dependency may break.
SMOKE := tests/unit tests/definitions/test_code_location.py tests/scenarios/test_updates.py::test_a_row_is_created_once
export DAGSTER_DISABLE_TELEMETRY := 1
export VIRTUAL_ENV := $(CURDIR)/$(V)

# $(call install,EXTRAS): the package with EXTRAS ("[ui]" or nothing) at the versions of constraints.txt.
define install
@test -x $(V)/bin/pip || $(PY) -m venv $(V)
@echo "installing dagster-dailystory$(1) into $(V)"
@( $(RUN) pip install -q --disable-pip-version-check uv \
   && $(V)/bin/uv pip install -q --python $(V)/bin/python --compile-bytecode -c constraints.txt -e '.$(1)' ) \
 || $(RUN) pip install -q --disable-pip-version-check -c constraints.txt -e '.$(1)'
@touch $@
endef

# $(call find,VERSION): the shell commands that print the path of a Python of this machine. pyenv hides the versions that its
# file does not name, and has them beside itself if they are not in the home folder.
define find
root="$$(pyenv root 2>/dev/null)"; [ -d "$$root/versions" ] || root="$$(dirname "$$(dirname "$$(command -v pyenv || echo /)")")"; \
export PYENV_ROOT="$$root"; PYENV_VERSION="$$(pyenv versions --bare 2>/dev/null | paste -sd:)" \
$(V)/bin/uv python find --system --no-python-downloads $(1)
endef

.PHONY: help demo test test-unit test-slow test-placements test-live test-warehouses test-pythons test-smoke test-lowest test-airflow test-celery test-ui test-site test-dbt site dist dev golden lint types defs bench bench-quick ci ci-all

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(V)/.demo ## Sync 2,000 invented customers to a local DailyStory, twice, and show a bad day
	$(RUN) demo

test-unit: $(V)/.test ## Run the tests that need no server, in seconds
	$(RUN) pytest -q -n 2 --dist worksteal tests/unit

test: $(V)/.test ## Run the tests, with a real PostgreSQL server
	$(RUN) pytest -q -n $(WORKERS) --dist worksteal -m "not ui and not slow and not airflow"

test-slow: $(V)/.test ## Run the long proofs: fifty kills, the fault storm, random histories, memory
	$(RUN) pytest -q -n $(WORKERS) --dist worksteal -m "slow and not elsewhere and not emulated"

test-placements: $(V)/.test ## Run tests and proofs at the other placements of source and state; ALL_PLACEMENTS=1 for all
	$(RUN) pytest -q -n $(WORKERS) --dist worksteal -m "elsewhere and not emulated"

test-live: $(V)/.test ## Run a Dagster deployment for 20 minutes (LIVE_MINUTES) while rows change and processes are killed
	LIVE_MINUTES=$(or $(LIVE_MINUTES),20) $(RUN) pytest -q tests/live

test-warehouses: $(addprefix test-warehouses-,$(EMULATED)) ## Run the real drivers of Snowflake, Databricks and BigQuery on local engines

test-warehouses-%: $(V)-%/.test
	VIRTUAL_ENV=$(CURDIR)/$(V)-$* $(V)-$*/bin/python -m pytest -q -n $(or $(WORKERS_$*),2) -p no:bqemulator -m emulated -k $* \
	   tests/databases/test_warehouses.py tests/databases/test_types.py tests/databases/test_names.py \
	   tests/databases/test_row_hashes.py tests/databases/test_conformance.py $(or $(SCENARIOS_$*),$(SCENARIOS))

test-airflow: $(V)-$(IN_AIRFLOW)/.test ## Run the Airflow provider in a real Airflow, with its scheduler and killed tasks; AIRFLOW=3.2 for the lowest
	VIRTUAL_ENV=$(CURDIR)/$(V)-$(IN_AIRFLOW) $(V)-$(IN_AIRFLOW)/bin/python -m pytest -q -p no:randomly -m airflow tests/airflow_provider
	VIRTUAL_ENV=$(CURDIR)/$(V)-$(IN_AIRFLOW) $(V)-$(IN_AIRFLOW)/bin/python -m pytest -q -p no:randomly tests/repository/test_docs_code.py -k airflow

test-pythons: $(addprefix test-python-,$(PYTHONS)) ## Run the unit tests, the code location and a scenario on each database with each Python

test-python-%: $(V)/.test
	@python=$$($(call find,$*)) && $(MAKE) V=$(V)-py$* PY="$$python" test-smoke

test-smoke: $(V)/.test
	ALL_PLACEMENTS=1 $(RUN) pytest -q -n 2 --dist worksteal -m "not emulated" $(SMOKE)

test-lowest: $(V)-lowest/.test ## The same with the lowest Python and the lowest version of each dependency
	ALL_PLACEMENTS=1 $(V)-lowest/bin/python -m pytest -q -n 2 --dist worksteal -m "not emulated" $(SMOKE)

test-celery: $(V)-celery/.test ## Run deploy/celery for real: PostgreSQL, Redis and two workers, one of which is killed
	@command -v redis-server >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	   && apt-get update -q && apt-get install -qy --no-install-recommends redis-server; } \
	 || { echo "test-celery needs the command 'redis-server': apt-get install redis-server" >&2; exit 1; }
	VIRTUAL_ENV=$(CURDIR)/$(V)-celery $(V)-celery/bin/python -m pytest -q -p no:randomly -m celery tests/deploy

test-ui: $(V)/.test ## Test the Dagster UI and the sandbox's page in Chromium; UPDATE_IMAGES=1 retakes the pictures
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	   && apt-get update -q && apt-get install -qy --no-install-recommends chromium; } \
	 || { echo "test-ui needs Chromium as the command 'chromium': apt-get install chromium" >&2; exit 1; }
	$(RUN) pytest -q -p no:randomly -m ui tests/definitions/ui tests/sandbox/page/test_in_browser.py

test-site: $(V)-site/.test ## Build the documentation site, and check its links, its pictures and what it loads
	VIRTUAL_ENV=$(CURDIR)/$(V)-site $(V)-site/bin/python -m pytest -q tests/site

test-dbt: $(V)-dbt/.test ## Run the tutorial with dbt
	VIRTUAL_ENV=$(CURDIR)/$(V)-dbt $(V)-dbt/bin/python -m pytest -q tests/repository/test_docs_code.py -k dbt

site: $(V)-site/.test ## Build the documentation site from docs/ and show it on http://127.0.0.1:8000
	$(V)-site/bin/zensical build --clean --strict
	$(V)-site/bin/python -m http.server --bind 127.0.0.1 --directory site 8000

dev: $(V)/.ui ## Open the Dagster UI on the demo, with the sandbox beside it
	@test -d .demo/dagster || $(RUN) demo
	@$(RUN) dagster_dailystory.sandbox --port 8019 --store .demo/sandbox.json --token-file .demo/token & sandbox=$$!; \
	trap "kill $$sandbox" EXIT; DAGSTER_HOME=$(CURDIR)/.demo/dagster $(V)/bin/dg dev

golden: $(V)/.test ## Rewrite the SQL in tests/databases/sql: state tables and what is read; then review the diff
	UPDATE_GOLDEN_SQL=1 $(RUN) pytest -q -p no:randomly tests/databases/test_golden_sql.py

lint: $(V)/.test ## Check style, format and the direction of imports
	$(V)/bin/ruff check .
	$(V)/bin/ruff format --check .
	$(V)/bin/lint-imports --no-logo --no-cache

types: $(V)/.test ## Check the types
	$(V)/bin/mypy

defs: $(V)/.test ## Load the definitions as a deployment and as dg does
	$(V)/bin/dagster definitions validate -w workspace.yaml
	$(V)/bin/dg check defs

dist: $(V)/.test $(V)-dist/.test ## Build wheel and sdist, try the wheel on each Python, write release notes, SBOM and licences to dist/
	tests/environments/dist.sh $(V)-dist/bin $(foreach version,$(PYTHONS),"$$($(call find,$(version)))")

bench: $(V)/.test ## Measure speed against other ways to do the same (half an hour)
	$(RUN) benchmarks

bench-quick: $(V)/.test ## The same with small tables (three minutes)
	$(RUN) benchmarks --quick

ci: ## Run everything that CI runs
	@.ci/run

ci-all: ci ## The same, and all that CI has no time for: other placements, every environment, a release, the deployment
	$(MAKE) test-pythons
	$(MAKE) test-placements ALL_PLACEMENTS=1
	$(MAKE) test-warehouses SCENARIOS=tests/scenarios
	$(MAKE) test-airflow AIRFLOW=3.2
	$(MAKE) dist
	$(MAKE) test-celery
	$(MAKE) test-dbt
	$(MAKE) test-live

$(V)/.demo: pyproject.toml constraints.txt
	$(call install,)

$(V)/.ui: pyproject.toml constraints.txt
	$(call install,[ui])

$(V)/.test: pyproject.toml constraints.txt
	$(call install,[test])

$(V)-lowest/.test: pyproject.toml tests/environments/lowest.txt | $(V)/.test
	@test -x $(@D)/bin/python || $(V)/bin/uv venv -q --python "$$($(call find,$(firstword $(PYTHONS))))" $(@D)
	$(V)/bin/uv pip install -q --python $(@D)/bin/python --resolution lowest-direct --compile-bytecode \
	   -e '.[$(DRIVERS),ui]' -r tests/environments/lowest.txt
	@touch $@

.PRECIOUS: $(V)-%/.test
$(V)-%/.test: pyproject.toml tests/environments/%.txt
	@test -x $(@D)/bin/pip || $(PY) -m venv $(@D)
	@echo "installing dagster-dailystory and tests/environments/$*.txt into $(@D)"
	@( $(@D)/bin/python -m pip install -q --disable-pip-version-check uv \
	   && $(@D)/bin/uv pip install -q --python $(@D)/bin/python --compile-bytecode -e . -r tests/environments/$*.txt ) \
	 || $(@D)/bin/python -m pip install -q --disable-pip-version-check -e . -r tests/environments/$*.txt
	@touch $@
