# memfs. `make help` lists what there is to be made.
#
#   BUILD=dir           where products go (default build)
#   SANITIZE=list       e.g. address,undefined or thread; give it a BUILD of its own
#   WERROR=1            warnings are errors (also with CI=true)
#   V=1                 show the commands

BUILD ?= build
CFLAGS ?= -O2 -g
SANITIZE ?=
WERROR ?= $(if $(filter true,$(CI)),1)
V ?=

MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

# The version stands in the header; the soname changes when programs must be compiled anew.
VERSION := $(shell sed -n 's/^.define MEMFS_VERSION "\(.*\)"/\1/p' libmemfs/memfs.h)
SONAME = libmemfs.so.0
SHARED = libmemfs.so.$(VERSION)

# ---- How to compile -----------------------------------------------------------

ifeq ($(origin CC),default)
CC = gcc
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	$(if $(filter 1,$(WERROR)),-Werror)
SANITIZERS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -pthread -fPIC -fno-semantic-interposition
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS)
LINK = $(CC) -pthread $(CFLAGS) $(SANITIZERS) $(LDFLAGS)

# Asked only when needed, and once: `make deps` may have to install pkg-config first.
pkg = $(eval $(1) := $$(shell pkg-config $(2)))$($(1))
IMAGE_CFLAGS = $(call pkg,IMAGE_CFLAGS,--cflags libzstd libxxhash)
IMAGE_LIBS = $(call pkg,IMAGE_LIBS,--libs libzstd libxxhash)
COMMAND_CFLAGS = $(call pkg,COMMAND_CFLAGS,--cflags libsodium)
COMMAND_LIBS = $(call pkg,COMMAND_LIBS,--libs libsodium)
TEST_CFLAGS = $(call pkg,TEST_CFLAGS,--cflags cmocka)
TEST_LIBS = $(call pkg,TEST_LIBS,--libs cmocka)

Q = $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)')

# ---- What there is ------------------------------------------------------------

PUBLIC = libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJECTS := $(call object,$(wildcard libmemfs/*.c))
FORMAT_OBJECTS := $(call object,$(wildcard format/*.c))
TOOL_OBJECTS := $(call object,$(wildcard tools/*.c))
GENERATE_OBJECTS := $(call object,$(wildcard tools/generate/*.c))
LIBRARY_OBJECTS = $(CORE_OBJECTS) $(FORMAT_OBJECTS)

# Suites are tests/test_*.c; the other files there help them. Programs that stand
# alone, in directories of tests/, see the public headers only. (The examples are
# compiled by their test, as their readers would.)
SUITES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/test_*.c))
HELPER_OBJECTS := $(call object,$(filter-out tests/test_%,$(wildcard tests/*.c)))
TEST_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/examples/%,$(wildcard tests/*/*.c)))
FUZZ_TARGETS := $(patsubst fuzz/%.c,%,$(wildcard fuzz/fuzz_*.c))

OBJECTS := $(CORE_OBJECTS) $(FORMAT_OBJECTS) $(TOOL_OBJECTS) $(GENERATE_OBJECTS) $(HELPER_OBJECTS) \
	$(SUITES:=.o) $(TEST_PROGRAMS:=.o) $(call object,$(wildcard fuzz/*.c))

.PHONY: all
all: $(BUILD)/memfs $(BUILD)/libmemfs.a $(BUILD)/libmemfs.so ## the command, the library, their pages and completions (default)

# ---- Objects ------------------------------------------------------------------

# Each layer sees the headers of those below it, and no others.
$(CORE_OBJECTS): INCLUDES = -Ilibmemfs
$(FORMAT_OBJECTS): INCLUDES = -Ilibmemfs -Iformat $(IMAGE_CFLAGS)
$(BUILD)/tools/%.o: INCLUDES = -Ilibmemfs -Iformat $(COMMAND_CFLAGS)
$(GENERATE_OBJECTS): INCLUDES = -Ilibmemfs -Iformat -Itools
$(BUILD)/fuzz/%.o: INCLUDES = -Ilibmemfs -Iformat $(IMAGE_CFLAGS)
$(TEST_PROGRAMS:=.o): INCLUDES = -Ilibmemfs -Iformat $(IMAGE_CFLAGS)
$(SUITES:=.o) $(HELPER_OBJECTS): INCLUDES = -Ilibmemfs -Iformat -Itests $(TEST_CFLAGS) $(IMAGE_CFLAGS)

# Changes when the way of compiling does, so that objects of two ways never mix.
FLAGS = $(CC) $(STANDARD) $(WARNINGS) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS) $(LDFLAGS)
.PHONY: FORCE
$(BUILD)/flags: FORCE
	@mkdir -p $(@D) && { echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@; }

$(OBJECTS): $(BUILD)/%.o: %.c $(BUILD)/flags | deps-build
	$(call say,CC    $<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(INCLUDES) -MMD -MP -c -o $@ $<

$(SUITES:=.o) $(HELPER_OBJECTS): | deps-check

-include $(OBJECTS:.o=.d)

# The page of `memfs info --html` is part of the command, as bytes in an array.
$(BUILD)/tools/info.html.inc: tools/info.html
	@mkdir -p $(@D)
	$(Q)od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/\1,/g' >$@

$(BUILD)/tools/picture.o: $(BUILD)/tools/info.html.inc
$(BUILD)/tools/picture.o: INCLUDES += -I$(BUILD)/tools

# ---- The library and the command ----------------------------------------------

# The names that the public headers declare are the only ones exported.
$(BUILD)/exports: $(PUBLIC) tools/exports.sh | deps-build
	@mkdir -p $(@D)
	$(Q)CC='$(CC)' tools/exports.sh $(PUBLIC) >$@

$(BUILD)/exports.map: $(BUILD)/exports
	$(Q){ echo 'MEMFS_0 {' && echo 'global:' && sed 's/$$/;/' $< && echo 'local: *;' && echo '};'; } >$@

$(BUILD)/$(SHARED): $(LIBRARY_OBJECTS) $(BUILD)/exports.map
	$(call say,LINK  $@)
	$(Q)$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(BUILD)/exports.map -Wl,-Bsymbolic-functions \
		$(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(LIBRARY_OBJECTS) $(IMAGE_LIBS)

$(BUILD)/$(SONAME): $(BUILD)/$(SHARED)
	$(Q)ln -sf $(SHARED) $@

$(BUILD)/libmemfs.so: $(BUILD)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

# One object in which all that is not exported is local: a program that links
# statically sees no more than one that links dynamically.
$(BUILD)/libmemfs.a: $(LIBRARY_OBJECTS) $(BUILD)/exports
	$(call say,AR    $@)
	$(Q)$(CC) -r -nostdlib -o $(BUILD)/libmemfs.o $(LIBRARY_OBJECTS)
	$(Q)objcopy --keep-global-symbols=$(BUILD)/exports $(BUILD)/libmemfs.o
	$(Q)rm -f $@ && ar rcs $@ $(BUILD)/libmemfs.o

$(BUILD)/memfs: $(TOOL_OBJECTS) $(BUILD)/libmemfs.a
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

# Pages, completions, make install and the like.
include tools/install.mk

# ---- Tests --------------------------------------------------------------------

$(SUITES): %: %.o $(HELPER_OBJECTS) $(LIBRARY_OBJECTS)
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(TEST_LIBS) $(IMAGE_LIBS)

$(TEST_PROGRAMS): %: %.o $(BUILD)/libmemfs.a
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(IMAGE_LIBS)

$(BUILD)/fuzz/make_seeds: $(BUILD)/fuzz/make_seeds.o $(LIBRARY_OBJECTS)
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(IMAGE_LIBS)

# A target replayed without the engine.
REPLAYS := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/replay_%)
$(REPLAYS): $(BUILD)/fuzz/replay_%: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/replay.o \
		$(BUILD)/fuzz/reseal.o $(LIBRARY_OBJECTS)
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(IMAGE_LIBS)

# The mutator is only compiled: to link it takes the engine.
.PHONY: tests
tests: all $(SUITES) $(TEST_PROGRAMS) $(REPLAYS) $(BUILD)/fuzz/make_seeds $(BUILD)/fuzz/mutator.o | deps-check ## builds all tests without running them

RUN_TESTS = BUILD=$(abspath $(BUILD)) CC='$(CC)' SANITIZE='$(SANITIZE)' tests/run.sh

.PHONY: check check-fast check-san check-large check-browser
check: tests ## all tests, in three minutes
	@$(RUN_TESTS)

check-fast: tests ## the same with smaller figures, in one minute
	@$(RUN_TESTS) --fast

check-san: ## check-fast built with ASan and UBSan, then with TSan
	$(MAKE) BUILD=$(BUILD)/asan SANITIZE=address,undefined check-fast
	$(MAKE) BUILD=$(BUILD)/tsan SANITIZE=thread check-fast

check-large: tests | deps-large ## packs and compares linux-source-6.1
	@BUILD=$(abspath $(BUILD)) tests/large.sh

check-browser: tests | deps-browser ## looks at the page of memfs info --html in headless Chromium
	@BUILD=$(abspath $(BUILD)) INFO_BROWSER=1 tests/e2e/run.sh info

.PHONY: demo
demo: all ## packs /usr/include, reads it, unpacks it, compares
	@BUILD=$(abspath $(BUILD)) tests/demo.sh

# Measures: nothing else should run. BENCH_ROUNDS=n; see tests/bench/bench.py.
BENCH_PROGRAMS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
RUN_BENCH = BUILD=$(abspath $(BUILD)) CC='$(CC)' PYTHONDONTWRITEBYTECODE=1 python3 tests/bench/bench.py
.PHONY: bench bench-quick
bench: all $(BENCH_PROGRAMS) | deps-bench ## memfs, its peers and the floor; writes tests/bench/RESULTS.md
	@$(RUN_BENCH)

bench-quick: all $(BENCH_PROGRAMS) | deps-bench ## the same on small trees; only printed
	@$(RUN_BENCH) --quick

# ---- Fuzzing ------------------------------------------------------------------

FUZZ ?= fuzz_image
FUZZ_SECONDS ?= 60
.PHONY: fuzz fuzz-build fuzz-seeds
fuzz: | deps-clang ## FUZZ_SECONDS (60) of FUZZ (fuzz_image) with clang's libFuzzer
	@$(MAKE) BUILD=$(BUILD)/fuzzer CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-build
	@mkdir -p $(BUILD)/corpus/$(FUZZ)
	$(BUILD)/fuzzer/$(FUZZ) -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -max_len=300000 -print_final_stats=1 \
		-artifact_prefix=$(BUILD)/corpus/ $(BUILD)/corpus/$(FUZZ) fuzz/seeds

FUZZERS := $(FUZZ_TARGETS:%=$(BUILD)/%)
fuzz-build: $(FUZZERS)
$(FUZZERS): $(BUILD)/%: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/mutator.o $(BUILD)/fuzz/reseal.o $(LIBRARY_OBJECTS)
	$(call say,LINK  $@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(IMAGE_LIBS)

fuzz-seeds: $(BUILD)/fuzz/make_seeds ## makes fuzz/seeds/ anew, after a change of the format
	@mkdir -p fuzz/seeds
	$(Q)$< fuzz/seeds

# ---- Upkeep -------------------------------------------------------------------

# Packages that are missing are installed (see tools/deps.sh); each target asks for its own.
DEPS = deps-build deps-check deps-clang deps-large deps-bench deps-packaging deps-browser
.PHONY: deps $(DEPS)
deps: deps-build deps-check ## installs the Debian packages that are missing
deps-check deps-clang deps-bench deps-packaging: deps-build # one after the other: apt allows no two at once
deps-large deps-browser: deps-check
$(DEPS):
	@CC='$(CC)' tools/deps.sh $(@:deps-%=%)

C_FILES = $(wildcard libmemfs/*.[ch] format/*.[ch] tools/*.[ch] tools/*/*.[ch] tests/*.[ch] tests/*/*.[ch] fuzz/*.[ch])
.PHONY: format tidy clean help
format: | deps-clang ## lays the C files out by .clang-format
	clang-format -i $(C_FILES)

tidy: $(BUILD)/tools/info.html.inc | deps-clang ## clang-tidy over library and command
	clang-tidy --quiet $(wildcard libmemfs/*.c format/*.c tools/*.c tools/*/*.c) -- $(STANDARD) -Ilibmemfs -Iformat -Itools -I$(BUILD)/tools

clean: ## removes build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile tools/install.mk | expand -t 20
