# Two commands are all that is needed: make run, make test. Both set everything up first.
PORT = 8000
DIRECTORY = var
SCALE = 1
IN_REDIS = tests/codes/test_cache.py tests/codes/test_cache_loading.py tests/codes/test_current_code.py tests/stations \
	tests/web/test_fast_path.py tests/web/test_limits.py tests/web/test_login_delays.py tests/wechat/test_notices.py

.PHONY: run test test-fast test-full test-cluster cluster demo demo-wechat demo-end demo-provinces check texts bench bench-province bench-cluster faults attack gates upgrade readers screens journeys lock clean

run: ## everything on this machine; Ctrl-C stops it
	@tools/set-up requirements-run.lock
	@tools/build-phones
	@.venv/bin/jixiang-dev run --directory "$(DIRECTORY)" --port $(PORT)

cluster: ## a Valkey Cluster on this machine, three masters with a replica each; Ctrl-C stops it
	@tools/set-up requirements-run.lock
	@.venv/bin/jixiang-dev cluster $(ARGS)

demo: ## the whole story as a transcript, against what runs, or on its own
	@tools/set-up requirements-dev.lock # an independent decoder reads the code
	@.venv/bin/jixiang-dev demo --directory "$(DIRECTORY)" --port $(PORT)

demo-wechat: ## callbacks, repeats, a WeChat in trouble, and replay, as a transcript
	@tools/set-up requirements-run.lock
	@.venv/bin/jixiang-dev demo-wechat --directory "$(DIRECTORY)" --port $(PORT)

demo-end: ## the end of the service, on an installation of its own that is gone afterwards, as a transcript
	@tools/set-up requirements-run.lock
	@.venv/bin/jixiang-dev demo-end

demo-provinces: ## two provinces recognise each other, on two installations that are gone afterwards, as a transcript
	@tools/set-up requirements-run.lock
	@.venv/bin/jixiang-dev demo-provinces

test: ## every test; ARGS=tests/codes for some of them
	@tools/set-up requirements-dev.lock
	@tools/test $(ARGS)

test-fast: ## without what takes seconds: no browser, no whole systems, no long tables, nothing that measures time
	@tools/set-up requirements-dev.lock
	@tools/test --fast $(ARGS)

test-full: ## every test, with eight times as many random examples
	@tools/set-up requirements-dev.lock
	@HYPOTHESIS_PROFILE=full tools/test $(ARGS)

test-cluster: ## the tests of all that is in Redis, with a Valkey Cluster
	@tools/set-up requirements-dev.lock
	@.venv/bin/pytest --cluster $(or $(ARGS),$(IN_REDIS))

check: ## style, types, imports, structure and words
	@tools/set-up requirements-dev.lock
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports
	@.venv/bin/python -m tools.check_structure
	@.venv/bin/python -m tools.check_words

texts: ## write click's catalog from the Chinese in app/cli/language/zh.toml
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m tools.make_click_catalog

bench: ## every measured figure: a table, bench/results.json, docs/bench.svg; BASE=<commit> against another commit; ARGS=--quick for a look
	@tools/set-up requirements-dev.lock
	@tools/need-wrk
	@.venv/bin/python -m bench$(if $(BASE),.compare $(BASE)) $(ARGS)

bench-province: ## the whole province on this machine; SCALE=0.01 for a hundredth of it
	@tools/set-up requirements-dev.lock
	@tools/need-wrk
	@.venv/bin/python -m bench.province --scale $(SCALE)

bench-cluster: ## processor time of a check and a show on a cluster and a standby: bench/cluster.json; ARGS=--quick for a look
	@tools/set-up requirements-dev.lock
	@tools/need-wrk
	@.venv/bin/python -m bench.cluster $(ARGS)

faults: ## break the running system on purpose: a table and faults/results.json; ARGS="--only redis-full --times 5" for a look
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m faults $(ARGS)

attack: ## attack the running system on purpose: a table and attack/results.json; ARGS="--only sessions --requests 500" for a look
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m attack $(ARGS)

gates: ## a hundred simulated gates for ten minutes, with cut-offs: bench/gates.json; ARGS="--seconds 20" for a look
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m bench.gates $(ARGS)

upgrade: ## upgrade another commit to this one under load, back and forth: bench/upgrade.json; BASE=<commit>; ARGS="--seconds 5" for a look
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m bench.upgrade $(BASE) $(ARGS)

readers: ## read codes with every QR decoder that installs here: docs/reference/readers.md; ARGS="--tokens 5" for a look
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m readers $(ARGS)

screens: ## the pictures in docs/screens; ARGS="--all DIRECTORY" makes every screen, to look at
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m tools.make_screens $(ARGS)

journeys: ## walk what people do in a browser, and count taps and seconds: docs/explanation/journeys.md; ARGS="--only declare" for a look
	@tools/set-up requirements-dev.lock
	@.venv/bin/python -m tools.journeys $(ARGS)

lock: ## pin the newest packages
	@tools/set-up requirements-dev.lock
	@tools/lock --upgrade

clean: ## forget the environment and the data of make run
	rm -rf .venv var
