# Tests: included by the Makefile.
#
# Suites are tests/test_*.c; the other files there help them. Programs of tree/ and
# bench/ stand alone and see the public headers only; the examples are compiled by
# their test, as their readers would. A directory with more to say has a .mk of its own.
SUITES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/test_*.c))
HELPER_OBJECTS := $(call object,$(filter-out tests/test_%,$(wildcard tests/*.c)))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tree/*.c tests/bench/*.c))
TEST_OBJECTS += $(HELPER_OBJECTS) $(SUITES:=.o) $(TEST_PROGRAMS:=.o)

$(TEST_PROGRAMS:=.o): INCLUDES = -Ilibmemfs -Iformat $(IMAGE_CFLAGS)
$(SUITES:=.o) $(HELPER_OBJECTS): INCLUDES = -Ilibmemfs -Iformat -Itests $(TEST_CFLAGS) $(IMAGE_CFLAGS)
$(SUITES:=.o) $(HELPER_OBJECTS): | deps-check

$(SUITES): %: %.o $(HELPER_OBJECTS) $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(LINK_TEST) -o $@ $^ $(TEST_LIBS) $(IMAGE_LIBS)

# Those of tree/ know nothing of memfs, and read all that was written byte by byte: sanitizers have nothing to look for there.
TREE_PROGRAMS := $(filter $(BUILD)/tests/tree/%,$(TEST_PROGRAMS))
$(TREE_PROGRAMS) $(TREE_PROGRAMS:=.o): private SANITIZERS =

$(TEST_PROGRAMS): %: %.o $(BUILD)/libmemfs.a
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(IMAGE_LIBS)

# The command with hashes of contents that decide nothing (weak.sh): few objects are others.
WEAK_SOURCES := $(shell grep -l MEMFS_WEAK_HASHES libmemfs/*.c format/*.c)
WEAK_OBJECTS := $(WEAK_SOURCES:%.c=$(BUILD)/weak/%.o)
-include $(WEAK_OBJECTS:.o=.d)

$(WEAK_OBJECTS): $(BUILD)/weak/%.o: %.c $(BUILD)/flags | deps-build
	$(call say,CC    $< with weak hashes)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -DMEMFS_WEAK_HASHES -Ilibmemfs -Iformat $(IMAGE_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/weak/memfs: $(TOOL_OBJECTS) $(WEAK_OBJECTS) $(filter-out $(call object,$(WEAK_SOURCES)),$(LIBRARY_OBJECTS))
	$(call say,LINK  $@)
	$(Q)$(LINK) $(if $(LTO_FLAGS),-fno-lto) -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

# What check-fast runs (tests/run.sh): of suites, with TSan those that have threads, or go through numbers of
# them; and memory that is denied, whose loss ASan sees, only with that. Directories and fuzz targets add to both, to what
# is built without threads by $(call alone,...).
THREADED := $(patsubst %.c,$(BUILD)/%,$(shell grep -lE 'pthread_|unsigned threads' tests/test_*.c tests/damage/test_*.c))
alone = $(if $(filter thread,$(SANITIZE)),$(filter $(THREADED),$(1)),$(1))
FAST_SUITES := $(filter-out $(if $(findstring address,$(SANITIZE)),,$(BUILD)/tests/test_alloc_%),$(call alone,$(SUITES)))

.PHONY: tests tests-fast
tests: all tests-fast $(SUITES) $(TEST_PROGRAMS) $(if $(SANITIZE)$(EMULATOR),,$(BUILD)/weak/memfs) ## builds all tests without running them
tests-fast: $(if $(SANITIZE)$(EMULATOR),$(BUILD)/memfs,all) $(FAST_SUITES) $(filter $(BUILD)/tests/tree/%,$(TEST_PROGRAMS)) | deps-check

RUN_TESTS = BUILD=$(abspath $(BUILD)) CC='$(CC)' SANITIZE='$(SANITIZE)' tests/run.sh

.PHONY: check check-fast check-full check-san check-s390x check-i386 check-musl lint lint-fast check-large check-browser
check: tests ## all tests, in minutes
	@$(RUN_TESTS)

check-fast: tests-fast ## what depends on the compiler, with smaller figures, in a minute
	@$(RUN_TESTS) --fast

# Packages come before any test: some look at what is installed. What cannot be had is told by the test that lacks it.
check-full: tests | deps-lint ## all of what the others do a share of, also elsewhere: an hour
	@for purpose in s390x i386 musl; do tools/deps.sh $$purpose || :; done
	@$(RUN_TESTS) --full

check-san: ## check-fast built with ASan and UBSan, then with TSan
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE=address,undefined check-fast
	$(MAKE) BUILD=$(BUILD)/tsan SANITIZE=thread check-fast

# SHARE=1: those about bytes and widths, in a minute.
RUN_ELSEWHERE = NATIVE=$(abspath $(BUILD)) BUILD=$(abspath $(BUILD))/$(1) tests/cross.sh $(1) $(if $(SHARE),--share)
check-s390x: ## the suites on an emulated machine with other byte order; SHARE=1: of them those of the image
	@$(call RUN_ELSEWHERE,s390x)

check-i386: ## the suites on an emulated machine of 32 bits; SHARE=1 as well
	@$(call RUN_ELSEWHERE,i386)

check-musl: ## libmemfs with another C library
	@BUILD=$(abspath $(BUILD)) tests/musl.sh

lint: $(BUILD)/tools/info/info.html.inc | deps-lint ## clang-format, clang-tidy and cppcheck over the sources
	@BUILD=$(abspath $(BUILD)) tests/lint.sh '$(STANDARD)'
lint-fast: $(BUILD)/tools/info/info.html.inc | deps-lint ## the same without clang's analyzer
	@BUILD=$(abspath $(BUILD)) tests/lint.sh --fast '$(STANDARD)'

check-large: tests | deps-large ## packs and compares linux-source-6.1
	@BUILD=$(abspath $(BUILD)) tests/large.sh

check-browser: tests | deps-browser ## looks at the page of memfs info --html in headless Chromium
	@BUILD=$(abspath $(BUILD)) INFO_BROWSER=1 tests/e2e/run.sh info

# Atomic counters: suites have threads. Without ccache, which would mix the notes of two directories.
.PHONY: coverage
coverage: | deps-coverage ## which branches of libmemfs/ and format/ the tests take, and which not: tests/COVERAGE.md
	CCACHE_DISABLE=1 $(MAKE) BUILD=$(BUILD)/coverage CC=gcc CFLAGS='-O0 -g --coverage -fprofile-update=atomic' tests
	@BUILD=$(abspath $(BUILD))/coverage python3 tests/coverage.py

# ---- Benchmarks -----------------------------------------------------------------

# Measures: nothing else should run. BENCH_ROUNDS=n; see tests/bench/bench.py.
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
RUN_BENCH = BUILD=$(abspath $(BUILD)) CC='$(CC)' PYTHONDONTWRITEBYTECODE=1 python3 tests/bench/bench.py
.PHONY: bench bench-quick
bench: all $(BENCH_PROGRAMS) | deps-bench ## memfs, its peers and the floor; writes tests/bench/RESULTS.md
	@$(RUN_BENCH)

bench-quick: all $(BENCH_PROGRAMS) | deps-bench ## the same on small trees; only printed
	@$(RUN_BENCH) --quick
