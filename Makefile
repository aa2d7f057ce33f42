# memfs. `make help` lists what there is to be made.
#
#   BUILD=dir           where products go (default build)
#   SANITIZE=list       e.g. address,undefined or thread; give it a BUILD of its own
#   CROSS_COMPILE=      prefix of the tools for another machine, EMULATOR= what runs its programs (tests/cross.sh)
#   LTO=                the library is optimized file by file: soon compiled; else as a whole, where gcc can
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

CROSS_COMPILE ?=
EMULATOR ?=
ifeq ($(origin CC),default)
CC = $(CROSS_COMPILE)gcc
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	$(if $(filter 1,$(WERROR)),-Werror)
SANITIZERS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Hardening, whatever CFLAGS are, as far as the compiler has it; memory checkers do without. FORTIFY
# needs the optimiser, and who asks for another level has that.
comma = ,
space = $(subst ,, )
asked = $(eval $(1) := $$(shell for flag in $(2); do echo 'int main(void) { return 0; }' | \
	$(CC) -Werror $$$$flag $(3) -x c -o /dev/null - 2>/dev/null && printf '%s ' $$$$flag; done))$($(1))
HARDENING_COMPILER = $(call asked,HARDENING_COMPILER,-fstack-protector-strong -fstack-clash-protection -fcf-protection,-c)
HARDENING_LINKER = $(call asked,HARDENING_LINKER,$(addprefix -Wl$(comma)-z$(comma),relro now noexecstack))
HARDENING_PIE = $(call asked,HARDENING_PIE,-pie,-fPIE)
OPTIMISED = $(filter-out -O0,$(lastword $(filter -O%,$(CPPFLAGS) $(CFLAGS))))
FORTIFY = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(if $(OPTIMISED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
HARDENING = $(if $(SANITIZE),,$(FORTIFY) $(HARDENING_COMPILER))
# Files of any length and times after 2038 on machines of 32 bits, too.
STANDARD = -std=c11 -D_POSIX_C_SOURCE=200809L -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -pthread -fPIC -fno-semantic-interposition
# Small structs are cleared and copied by moves, not by gcc's `rep stos` and `rep movs`, which begin slowly (creating a
# file takes an eighth less time).
SMALL_BLOCKS = $(call asked,SMALL_BLOCKS,$(addsuffix -strategy=unrolled_loop:512:noalign$(comma)libcall:-1:noalign,\
	-mmemset -mmemcpy),-c)
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(HARDENING) $(SMALL_BLOCKS) $(CPPFLAGS) $(CFLAGS) $(SANITIZERS)
LINK = $(if $(EMULATOR),tests/link_emulated.sh '$(EMULATOR)') $(CC) -pthread $(CFLAGS) \
	$(if $(SANITIZE),,$(HARDENING_LINKER)) $(SANITIZERS) $(LDFLAGS)

# The library is optimized as a whole (creating a file takes a sixth less time) where gcc can; not for sanitizers and
# emulators, whose programs are slow in any case, nor without optimization. Its objects hold machine code, too, for
# the tests that look at them, and programs that are linked of some of them.
LTO ?= auto
LTO_FLAGS = $(if $(LTO),$(if $(SANITIZE)$(EMULATOR)$(if $(OPTIMISED),,none),,$(LTO_ASKED)))
LTO_ASKED = $(eval LTO_ASKED := $$(shell echo 'int main(void) { return 0; }' | \
	$(CC) -flto=auto -r -flinker-output=nolto-rel -nostdlib -x c -o /dev/null - 2>/dev/null && \
	echo -flto=auto -ffat-lto-objects))$(LTO_ASKED)

# Programs of tests are many: the linker that takes half the time, if it is there.
TEST_LINKER = $(call asked,TEST_LINKER,-fuse-ld=gold)
LINK_TEST = $(LINK) $(TEST_LINKER)

# Asked only when needed, and once: `make deps` may have to install pkg-config first.
PKG_CONFIG ?= pkg-config
pkg = $(eval $(1) := $$(shell $(PKG_CONFIG) $(2)))$($(1))
IMAGE_CFLAGS = $(call pkg,IMAGE_CFLAGS,--cflags libzstd libxxhash)
IMAGE_LIBS = $(call pkg,IMAGE_LIBS,--libs libzstd libxxhash)
COMMAND_CFLAGS = $(call pkg,COMMAND_CFLAGS,--cflags libsodium)
COMMAND_LIBS = $(call pkg,COMMAND_LIBS,--libs libsodium)
TEST_CFLAGS = $(call pkg,TEST_CFLAGS,--cflags cmocka)
TEST_LIBS = $(call pkg,TEST_LIBS,--libs cmocka)

Q = $(if $(V),,@)
say = $(if $(V),,$(info $(space) $(1)))

# ---- What there is ------------------------------------------------------------

PUBLIC = libmemfs/memfs.h libmemfs/memfs_host.h format/memfs_image.h

object = $(patsubst %.c,$(BUILD)/%.o,$(1))
CORE_OBJECTS := $(call object,$(wildcard libmemfs/*.c))
FORMAT_OBJECTS := $(call object,$(wildcard format/*.c))
GENERATE_OBJECTS := $(call object,$(wildcard tools/generate/*.c))
TOOL_OBJECTS := $(filter-out $(GENERATE_OBJECTS),$(call object,$(wildcard tools/*.c tools/*/*.c)))
LIBRARY_OBJECTS = $(CORE_OBJECTS) $(FORMAT_OBJECTS)
LIBRARY = $(BUILD)/library.o

# The directories of tests and fuzz targets tell of theirs: they add to TEST_OBJECTS.
TEST_OBJECTS :=
include tests/tests.mk fuzz/fuzz.mk $(wildcard tests/*/*.mk)

OBJECTS := $(CORE_OBJECTS) $(FORMAT_OBJECTS) $(TOOL_OBJECTS) $(GENERATE_OBJECTS) $(TEST_OBJECTS)

.PHONY: all
all: $(BUILD)/memfs $(BUILD)/libmemfs.a $(BUILD)/libmemfs.so ## the command, the library, their pages and completions (default)

# ---- Objects ------------------------------------------------------------------

# What tests count in 64 bits fits into size_t, on every machine.
$(TEST_OBJECTS): RELAXED = $(if $(EMULATOR),-Wno-conversion -Wno-type-limits)
# What tests is compiled in two thirds of the time, but for what measures or is run millions of times; suites in half of
# it: their time is that of what they call. (FORTIFY and some warnings need the optimizer: the library's and the command's stay.)
SUITE_OBJECTS := $(filter $(BUILD)/tests/test_%,$(TEST_OBJECTS))
HARNESS_OBJECTS := $(filter-out $(BUILD)/tests/bench/% $(BUILD)/fuzz/% $(SUITE_OBJECTS),$(TEST_OBJECTS))
$(HARNESS_OBJECTS): RELAXED += $(if $(filter -O2,$(CFLAGS)),-O1)
$(SUITE_OBJECTS): RELAXED += $(if $(filter -O1 -O2,$(CFLAGS)),-O0 -U_FORTIFY_SOURCE)

$(LIBRARY_OBJECTS): RELAXED = $(LTO_FLAGS)
# With sanitizers and emulators what the command does itself takes less time than compiling it well.
$(TOOL_OBJECTS): RELAXED = $(if $(SANITIZE)$(EMULATOR),$(if $(filter -O1 -O2,$(CFLAGS)),-O0))

# Each layer sees the headers of those below it, and no others.
$(CORE_OBJECTS): INCLUDES = -Ilibmemfs
$(FORMAT_OBJECTS): INCLUDES = -Ilibmemfs -Iformat $(IMAGE_CFLAGS)
$(TOOL_OBJECTS) $(GENERATE_OBJECTS): INCLUDES = -Ilibmemfs -Iformat -Itools $(COMMAND_CFLAGS)

# Changes when the way of compiling does, so that objects of two ways never mix.
FLAGS = $(COMPILE) $(LINK)
.PHONY: FORCE
$(BUILD)/flags: FORCE | deps-build
	@mkdir -p $(sort $(dir $(OBJECTS))) && { echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@; }

# The same of the library alone.
$(BUILD)/flags-library: $(BUILD)/flags FORCE
	@echo '$(LTO_FLAGS)' | cmp -s - $@ || echo '$(LTO_FLAGS)' >$@

$(LIBRARY_OBJECTS): $(BUILD)/flags-library

$(OBJECTS): $(BUILD)/%.o: %.c $(BUILD)/flags | deps-build
	$(call say,CC    $<)
	$(Q)$(COMPILE) $(RELAXED) $(INCLUDES) -MMD -MP -c -o $@ $<

-include $(OBJECTS:.o=.d)

# The page of `memfs info --html` is part of the command, as bytes in an array.
$(BUILD)/tools/info/info.html.inc: tools/info/info.html
	@mkdir -p $(@D)
	$(Q)od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/\1,/g' >$@

$(BUILD)/tools/info/picture.o: $(BUILD)/tools/info/info.html.inc
$(BUILD)/tools/info/picture.o: INCLUDES += -I$(BUILD)/tools/info

# ---- The library and the command ----------------------------------------------

# The names that the public headers declare are the only ones exported.
$(BUILD)/exports: $(PUBLIC) tools/exports.sh | deps-build
	@mkdir -p $(@D)
	$(Q)CC='$(CC)' tools/exports.sh $(PUBLIC) >$@

$(BUILD)/exports.map: $(BUILD)/exports
	$(Q){ echo 'MEMFS_0 {' && echo 'global:' && sed 's/$$/;/' $< && echo 'local: *;' && echo '};'; } >$@

# All of it, which is compiled here if it is as a whole. Tests see what is not exported, too.
$(LIBRARY): $(LIBRARY_OBJECTS)
	$(call say,LINK  $@)
	$(Q)$(if $(LTO_FLAGS),$(COMPILE) $(LTO_FLAGS) -flinker-output=nolto-rel,$(CC)) -r -nostdlib -o $@ $^

$(BUILD)/$(SHARED): $(LIBRARY) $(BUILD)/exports.map
	$(call say,LINK  $@)
	$(Q)$(LINK) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(BUILD)/exports.map -Wl,-Bsymbolic-functions \
		$(if $(SANITIZE),,-Wl,-z,defs) -o $@ $(LIBRARY) $(IMAGE_LIBS)

$(BUILD)/$(SONAME): $(BUILD)/$(SHARED)
	$(Q)ln -sf $(SHARED) $@

$(BUILD)/libmemfs.so: $(BUILD)/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

# One object in which all that is not exported is local: a program that links
# statically sees no more than one that links dynamically. But what each object brings along for
# position-independent code of 32 bits, the linker takes once, and must find by its name.
$(BUILD)/libmemfs.a: $(LIBRARY) $(BUILD)/exports
	$(call say,AR    $@)
	$(Q)$(CROSS_COMPILE)objcopy --wildcard --keep-global-symbol='__x86.get_pc_thunk.*' \
		--keep-global-symbols=$(BUILD)/exports $(LIBRARY) $(BUILD)/libmemfs.o
	$(Q)rm -f $@ && $(CROSS_COMPILE)ar rcs $@ $(BUILD)/libmemfs.o

$(BUILD)/memfs: $(TOOL_OBJECTS) $(BUILD)/libmemfs.a
	$(call say,LINK  $@)
	$(Q)$(LINK) $(if $(SANITIZE),,$(HARDENING_PIE)) -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

# Pages, completions, make install and the like.
include tools/install.mk

.PHONY: demo
demo: all ## packs /usr/include, reads it, unpacks it, compares
	@BUILD=$(abspath $(BUILD)) tests/demo.sh

# ---- Upkeep -------------------------------------------------------------------

# Packages that are missing are installed (see tools/deps.sh); each target asks for its own.
DEPS = deps-build deps-check deps-clang deps-afl deps-lint deps-large deps-bench deps-packaging deps-browser deps-coverage
.PHONY: deps $(DEPS)
deps: deps-build deps-check ## installs the Debian packages that are missing
deps-check deps-clang deps-afl deps-lint deps-bench deps-packaging: deps-build # one after the other: apt allows no two at once
deps-large deps-browser deps-coverage: deps-check
$(DEPS):
	@CC='$(CC)' tools/deps.sh $(@:deps-%=%)

C_FILES = $(wildcard libmemfs/*.[ch] format/*.[ch] tools/*.[ch] tools/*/*.[ch] tests/*.[ch] tests/*/*.[ch] fuzz/*.[ch])
.PHONY: format clean help
format: | deps-clang ## lays the C files out by .clang-format
	clang-format -i $(C_FILES)

clean: ## removes build/
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile tools/install.mk tests/tests.mk fuzz/fuzz.mk $(wildcard tests/*/*.mk) | expand -t 22
