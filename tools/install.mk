# What is installed, and how: included by the Makefile.
#
#   DESTDIR=dir         put before all that follows, for packages
#   PREFIX=dir          (default /usr/local); BINDIR, LIBDIR, INCLUDEDIR, DATADIR, MANDIR, DOCDIR, PKGCONFIGDIR,
#                       BASHDIR, ZSHDIR, FISHDIR likewise. GNU's lower case (prefix, bindir ...) does as well

DESTDIR ?=
PREFIX ?= $(or $(prefix),/usr/local)
BINDIR ?= $(or $(bindir),$(PREFIX)/bin)
LIBDIR ?= $(or $(libdir),$(PREFIX)/lib)
INCLUDEDIR ?= $(or $(includedir),$(PREFIX)/include)
DATADIR ?= $(or $(datarootdir),$(PREFIX)/share)
MANDIR ?= $(or $(mandir),$(DATADIR)/man)
DOCDIR ?= $(or $(docdir),$(DATADIR)/doc/memfs)
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d

# ---- Pages and completions, from the tables of options ---------------------------

# The command but for its main(), so that the tables are the very ones.
$(BUILD)/generate: $(GENERATE_OBJECTS) $(filter-out $(BUILD)/tools/main.o,$(TOOL_OBJECTS)) $(BUILD)/libmemfs.a
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

COMMAND_PAGES := $(patsubst tools/cmd_%.c,$(BUILD)/man/memfs-%.1,$(wildcard tools/cmd_*.c))
PAGES := $(COMMAND_PAGES) tools/memfs.1 tools/man/libmemfs.3 tools/man/memfs-image.5 tools/man/memfs-security.7
COMPLETIONS := $(BUILD)/completions/memfs.bash $(BUILD)/completions/memfs.zsh $(BUILD)/completions/memfs.fish
all: $(PAGES) $(COMPLETIONS)

# The pages written by hand and those that are made are of one day.
$(COMMAND_PAGES): $(BUILD)/man/memfs-%.1: $(BUILD)/generate tools/memfs.1
	$(call say,MAKE  $@)
	@mkdir -p $(@D)
	$(Q)$< page $* "$$(sed -n 's/^\.TH [^"]*"\([^"]*\)".*/\1/p' tools/memfs.1)" >$@

$(COMPLETIONS): $(BUILD)/completions/memfs.%: $(BUILD)/generate tools/completions/memfs.%
	$(call say,MAKE  $@)
	@mkdir -p $(@D)
	$(Q)$< $* >$@ && cat tools/completions/memfs.$* >>$@

# ---- Installing --------------------------------------------------------------------

# Paths below the prefix are said by it, so that pkg-config can move them. (No patsubst: a path may be several words.)
below = $(subst |,,$(subst |$(PREFIX)/,$${prefix}/,|$(1)))
$(BUILD)/memfs.pc: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(call below,$(LIBDIR))' 'includedir=$(call below,$(INCLUDEDIR))' '' \
		'Name: memfs' 'Description: filesystem in memory that freezes to an image' 'Version: $(VERSION)' \
		'Requires.private: libzstd' 'Libs: -L"$${libdir}" -lmemfs' 'Libs.private: -pthread' \
		'Cflags: -I"$${includedir}"' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# One list for installing and uninstalling: mode, source, target, with tabs between them, since places may
# have blanks in their names; of a link its contents for the source.
define newline


endef
tab := $(shell printf '\t')
listed = $(subst $(newline) ,$(newline),$(foreach source,$(2),$(1)$(tab)$(source)$(tab)$(3)/$(notdir $(source))$(newline)))
define INSTALLED
755$(tab)$(BUILD)/memfs$(tab)$(BINDIR)/memfs
$(call listed,644,$(PUBLIC),$(INCLUDEDIR))
644$(tab)$(BUILD)/libmemfs.a$(tab)$(LIBDIR)/libmemfs.a
644$(tab)$(BUILD)/$(SHARED)$(tab)$(LIBDIR)/$(SHARED)
link$(tab)$(SHARED)$(tab)$(LIBDIR)/$(SONAME)
link$(tab)$(SONAME)$(tab)$(LIBDIR)/libmemfs.so
644$(tab)$(BUILD)/memfs.pc$(tab)$(PKGCONFIGDIR)/memfs.pc
$(call listed,644,$(filter %.1,$(PAGES)),$(MANDIR)/man1)
$(call listed,644,$(filter %.3,$(PAGES)),$(MANDIR)/man3)
$(call listed,644,$(filter %.5,$(PAGES)),$(MANDIR)/man5)
$(call listed,644,$(filter %.7,$(PAGES)),$(MANDIR)/man7)
644$(tab)$(BUILD)/completions/memfs.bash$(tab)$(BASHDIR)/memfs
644$(tab)$(BUILD)/completions/memfs.zsh$(tab)$(ZSHDIR)/_memfs
644$(tab)$(BUILD)/completions/memfs.fish$(tab)$(FISHDIR)/memfs.fish
644$(tab)format/FORMAT.md$(tab)$(DOCDIR)/FORMAT.md
endef

.PHONY: install uninstall
install uninstall: export LIST = $(INSTALLED)
install: all $(BUILD)/memfs.pc ## command and library below PREFIX (/usr/local); DESTDIR and more: tools/install.mk
	@printf '%s\n' "$$LIST" | DESTDIR='$(DESTDIR)' tools/install.sh install
	@if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" = 0 ]; then ldconfig 2>/dev/null || :; fi # where the shared library is

uninstall: ## removes what make install with the same settings has put there
	@printf '%s\n' "$$LIST" | DESTDIR='$(DESTDIR)' tools/install.sh uninstall

# ---- Releases -----------------------------------------------------------------------

# What is committed, with the times of the commit: the same bytes for everyone.
DIST = $(BUILD)/memfs-$(VERSION).tar.xz
XZ = xz -9 -T1
.PHONY: dist abi
dist: ## the sources of the last commit as an archive, in build/
	@mkdir -p $(BUILD)
	git archive --format=tar --prefix=memfs-$(VERSION)/ HEAD | $(XZ) >$(DIST)

abi: $(BUILD)/$(SHARED) ## accepts what has been added to the library's binary interface (tools/abi/abi.sh)
	@CC='$(CC)' tools/abi/abi.sh accept

.PHONY: deb check-deb
deb: | deps-packaging ## Debian's packages of what is committed, in build/deb/
	@BUILD=$(abspath $(BUILD)) tools/packaging/check.sh --only-make

check-deb: | deps-packaging ## makes them and tests them: lintian, and programs built against them
	@BUILD=$(abspath $(BUILD)) tools/packaging/check.sh
