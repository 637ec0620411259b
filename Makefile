# The front door. Each target installs what it misses (Debian packages; nothing is touched where nothing is missing), builds, and
# does one thing. CMakePresets.json offers the same builds to editors.

JOBS ?= $(shell nproc)
WERROR ?= ON# make WERROR=OFF: for compilers newer than the ones the project is built with
CONFIGURE = cmake -G Ninja -DCF_WERROR=$(WERROR) -S . -B
NO_GPU = -DCF_CUDA=OFF# builds that never meet a GPU: their tests have the kernels by the emulator
TESTS = ctest -L 'unit|golden' --output-on-failure -j 2 --test-dir

MAKEFLAGS += --no-print-directory
.PHONY: all deps deps-check test sanitize check format headers clang lint web-check demo bench bench-large clean

all: deps
	$(CONFIGURE) build
	cmake --build build -j $(JOBS)

deps:
	@tools/install_deps.sh build

deps-check:
	@tools/install_deps.sh check

test: all
	$(TESTS) build

# AddressSanitizer and UndefinedBehaviorSanitizer over the same tests.
sanitize: deps
	$(CONFIGURE) build-sanitize -DCF_SANITIZE=ON $(NO_GPU)
	cmake --build build-sanitize -j $(JOBS)
	$(TESTS) build-sanitize

# The rules that a script can enforce, a second compiler's warnings, and cppcheck. Under two minutes on two cores.
check: deps-check format headers clang
	tools/check_layers.sh
	tools/check_names.sh
	tools/check_banned.sh
	tools/check_links.sh
	tools/check_named_tests.sh
	cppcheck --quiet --error-exitcode=1 -j $(JOBS) --project=build-clang/compile_commands.json \
	    --file-filter='*src/*' --enable=warning,portability --suppressions-list=tools/cppcheck.txt

format:
	git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror

headers:
	tools/check_headers.sh

clang:
	$(CONFIGURE) build-clang -DCMAKE_C_COMPILER=clang $(NO_GPU)
	cmake --build build-clang -j $(JOBS)

# Advice, to be judged: clang-tidy with its static analyzer. Three minutes.
lint: deps-check clang
	run-clang-tidy -quiet -j $(JOBS) -p build-clang "$(CURDIR)/src/"

# The report's page: its types, its lint, that web/dist is what web/src builds, and its tests in a real browser.
web-check:
	web/test/run.sh

# A whole study of the model that ships with the project: build/demo/.
demo: all
	tools/demo.sh

# Every figure of docs/performance.md but those of full size: build/bench/*.csv. PYTHON=... measures the peers, too.
bench: all
	PYTHON="$(PYTHON)" bench/run.sh
	bench/reuse.sh
	bench/analyses.sh

# Models of true size, up to 26 GB of disk at a time. Twenty minutes.
bench-large: all
	bench/large.sh > build/bench/large.new
	mv build/bench/large.new build/bench/large.csv
	bench/table.sh

clean:
	rm -rf build build-sanitize build-clang
