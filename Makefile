# Holdfast. "make demo" runs the whole pipeline on a made-up company; "make test" passes the tests.

export CGO_ENABLED = 0
GO ?= go
PYTHON ?= python3
WORK ?= bench-work

.PHONY: all build demo demo-shop test test-deep test-pages study faults fuzz mutants coverage reproducible lint check bench-features bench-evaluate bench-quality bench-train bench-predict test-spark bench-spark spark-env clean

all: build

build: ## one static binary, bin/holdfast
	@mkdir -p bin
	$(GO) build -trimpath -buildvcs=false -o bin/holdfast ./cmd/holdfast

demo: build ## make ./demo-project and run check, train, evaluate, promote and predict in it
	bin/holdfast demo demo-project

demo-shop: build ## the same of a shop without contracts, in ./demo-shop
	bin/holdfast demo --kind shop demo-shop

test: ## Go only; tests on real histories need ../shared beside the checkout
	$(GO) test -timeout 20m ./...

test-deep: ## 10,000 random histories against a reference that re-reads everything for each snapshot; backtests of the large histories
	@mkdir -p bin
	$(GO) test -c -o bin/features.test ./features
	cd features && for seed in 1 2; do ../bin/features.test -test.run Naive -rapid.checks 5000 -rapid.seed $$seed & pids="$$pids $$!"; done; \
	for pid in $$pids; do wait $$pid || exit 1; done
	$(GO) test ./cmd/holdfast -run 'OutOfTime|NullItIs' -deep -v -timeout 30m

test-pages: ## every kind of page in headless Chromium, 1280 and 390 px wide, light, dark and on paper; PAGES="reports/*/report.html" for more
	@mkdir -p $(WORK)/pages
	$(GO) test ./evaluate/report -run WritePages -count=1 -pages $(abspath $(WORK)/pages)
	$(PYTHON) evaluate/report/testdata/pages.py $(WORK)/pages/*.html $(PAGES)

study: ## simulations: coverage of the bootstrap and of effects, level and power of the noise band, a leak that is refused
	$(GO) test ./train ./evaluate ./cmd/holdfast -run Study -study -v -timeout 1h

bench-evaluate: ## a million test rows with two candidates, and what twelve origins cost beside their fits, see evaluate/METRICS.md
	$(GO) test ./evaluate/report -run XXX -bench MillionRows -benchtime 1x -timeout 1h
	$(GO) test ./evaluate -run XXX -bench Backtest -benchtime 1x -timeout 2h

reproducible: build ## another build of what is committed, in another folder with an empty cache, gives the same bytes; bin/holdfast.cdx.json says what is in it
	@dir=$$(mktemp -d) && trap "chmod -R u+w $$dir; rm -rf $$dir" EXIT && git archive HEAD | tar -x -C $$dir && \
	(cd $$dir && GOCACHE=$$dir/cache $(GO) build -trimpath -buildvcs=false -o $$dir/second ./cmd/holdfast) && \
	cmp bin/holdfast $$dir/second && sha256sum bin/holdfast && bin/holdfast version --sbom > bin/holdfast.cdx.json

faults: ## every write point of every command killed, failed and without power, 200 kills at random, 1,000 runs; cmd/holdfast/FAULTS.md
	$(GO) test ./data/faultfs -v
	$(GO) test ./predict/registry -kills 200 -v -timeout 1h
	$(GO) test ./cmd/holdfast -run 'EndWhole|EndsWhole|DiskFull|ReadOnly|ClosedPipe|AddressSpace|ManyRuns|KeepGoing|Child|Isolated|Panic|Hostile|Poison|SameBytes|Forget$$' -faults -run-kills 50 -v -timeout 2h
	$(GO) test ./data -run 'Read|Screen|Decompress|Forg|Remove' -v -timeout 1h

FUZZTIME ?= 30s
fuzz: ## what reads foreign bytes, each for FUZZTIME
	for f in ./data:FuzzRead ./data:FuzzFilter ./data:FuzzWriteCSV ./data/ipc:FuzzRead ./data/ipc:FuzzStream ./predict:FuzzParse ./cmd/holdfast:FuzzParseProject; do \
	$(GO) test $${f%:*} -run XXX -fuzz "^$${f#*:}$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x || exit 1; done

mutants: ## takes out guards one by one (cmd/holdfast/testdata/mutants) and sees their tests fail; MUTANTS="rule|label"
	$(GO) test ./cmd/holdfast -run TestMutants -mutants '$(or $(MUTANTS),.)' -timeout 2h

test-spark: build spark-env ## a Spark cluster of a master and two workers on this machine, executors and drivers killed, see cmd/holdfast/SPARK.md
	$(GO) test ./cmd/holdfast -run '^(TestSpark|TestShim)$$' -spark $(abspath $(WORK)/venv-spark) -count=1 -v -timeout 20m

bench-spark: build spark-env ## what Go costs in Spark, and ten times the data, see cmd/holdfast/SPARK.md; about ten minutes on an idle machine
	$(GO) test ./cmd/holdfast -run '^TestBenchSpark$$' -spark $(abspath $(WORK)/venv-spark) -spark-bench -count=1 -v -timeout 2h

spark-env: $(WORK)/venv-spark/ready

$(WORK)/venv-spark/ready: cmd/holdfast/testdata/spark/requirements.txt
	$(PYTHON) -m venv $(WORK)/venv-spark
	$(WORK)/venv-spark/bin/pip install --quiet --disable-pip-version-check --only-binary pyarrow,pandas --requirement $<
	@touch $@

COVERED = $(shell $(GO) list ./... | grep -v -e /train/asm -e /data/faultfs | paste -sd,)
coverage: ## statements that any test runs: 85 % of all, 95 % of features and of predict; a generator and a test double are not counted, and what scripts run in processes of their own counts as not run
	@mkdir -p $(WORK)
	$(GO) test ./... -skip TestScripts -coverpkg=$(COVERED) -coverprofile=$(WORK)/cover.out -timeout 2h
	@for part in /:85 /features/:95 /predict/:95; do \
	grep -e '^mode:' -e "^github.com/holdfast-churn/holdfast$${part%:*}" $(WORK)/cover.out > $(WORK)/part.out; \
	$(GO) tool cover -func $(WORK)/part.out | awk -v part=$${part%:*} -v least=$${part#*:} \
	'{ n = $$3 } END { printf "%-12s %s of statements, at least %s %%\n", part, n, least; exit !(n + 0 >= least) }' || exit 1; done

lint: ## formatting, vet, staticcheck, a tidy go.mod
	@unformatted=$$(gofmt -l cmd data evaluate features predict train); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff

check: lint test

bench-features: build $(WORK)/venv/ready ## against DuckDB and Polars, see features/BENCH.md; CASES="speed memory --pairs 5"
	$(WORK)/venv/bin/python features/bench/bench.py --work $(WORK) $(CASES)

$(WORK)/venv/ready: features/bench/requirements.txt
	$(PYTHON) -m venv $(WORK)/venv
	$(WORK)/venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench-quality: build $(WORK)/venv-train/ready ## against LightGBM, CatBoost, EBM and scikit-learn, see train/BENCH.md; CASES="splits --only telco"
	$(WORK)/venv-train/bin/python train/bench/quality.py --work $(WORK) $(CASES)

$(WORK)/venv-train/ready: train/bench/requirements.txt
	$(PYTHON) -m venv $(WORK)/venv-train
	$(WORK)/venv-train/bin/pip install --quiet --disable-pip-version-check --only-binary :all: --requirement $<
	@touch $@

bench-train: build $(WORK)/venv-solver/ready ## the solver against scikit-learn, glmnet and LightGBM, and its memory out of core, see train/BENCH-SOLVER.md; FITS="small --pairs 5"
	@mkdir -p bin
	$(GO) test -c -o bin/train.test ./train
	$(WORK)/venv-solver/bin/python train/bench/train.py --work $(WORK) $(FITS)

$(WORK)/venv-solver/ready: train/bench/requirements-train.txt
	$(PYTHON) -m venv $(WORK)/venv-solver
	$(WORK)/venv-solver/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

bench-predict: build $(WORK)/venv-predict/ready ## scoring against scikit-learn, ONNX Runtime and DuckDB, see predict/BENCH.md; CASES="speed --pairs 5"
	$(WORK)/venv-predict/bin/python predict/bench/bench.py --work $(WORK) $(CASES)

$(WORK)/venv-predict/ready: predict/bench/requirements.txt
	$(PYTHON) -m venv $(WORK)/venv-predict
	$(WORK)/venv-predict/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

clean:
	rm -rf bin demo-project demo-shop
