# Fuzzing: included by the Makefile. A target is fuzz/fuzz_*.c: the engine drives it,
# and without the engine replay.c does. Seeds of images are in fuzz/seeds, of other
# inputs in fuzz/seeds/TARGET; what was found once is in fuzz/regressions/TARGET.

FUZZ_TARGETS := $(patsubst fuzz/%.c,%,$(wildcard fuzz/fuzz_*.c))
FUZZ_OBJECTS := $(call object,$(wildcard fuzz/*.c))
TEST_OBJECTS += $(FUZZ_OBJECTS)
$(FUZZ_OBJECTS): INCLUDES = -Ilibmemfs -Iformat -Itools -Itests $(IMAGE_CFLAGS)

# What all targets share. Targets of the command take what they need of it.
FUZZ_SHARED := $(patsubst %,$(BUILD)/fuzz/%.o,input memory mangle change reseal)
$(BUILD)/fuzz/tools.a: $(filter-out $(BUILD)/tools/main.o,$(TOOL_OBJECTS))
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^
# AFL's compiler adds its runtime to whatever it links, so to one object of all, too, and then again.
FUZZ_LIBRARY := $(if $(findstring afl,$(CC)),$(LIBRARY_OBJECTS),$(LIBRARY))
FUZZ_LINKED := $(FUZZ_SHARED) $(BUILD)/tests/model.o $(BUILD)/fuzz/tools.a $(FUZZ_LIBRARY)

$(BUILD)/fuzz/make_seeds: $(BUILD)/fuzz/make_seeds.o $(FUZZ_LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(LINK_TEST) -o $@ $^ $(IMAGE_LIBS)

# A target replayed without the engine.
REPLAYS := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/replay_%)
$(REPLAYS): $(BUILD)/fuzz/replay_%: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/replay.o $(FUZZ_LINKED)
	$(call say,LINK  $@)
	$(Q)$(LINK_TEST) -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

# The mutators are only compiled: to link them takes the engines.
tests: $(REPLAYS) $(BUILD)/fuzz/make_seeds $(BUILD)/fuzz/mutator.o $(BUILD)/fuzz/mutator_afl.o
tests-fast: $(call alone,$(REPLAYS) $(BUILD)/fuzz/make_seeds)

# FUZZ is a target, or all; each runs for FUZZ_SECONDS, or FUZZ_RUNS in a campaign.
FUZZ ?= fuzz_image
FUZZ_SECONDS ?= 60
FUZZ_RUNS ?= 1000000
FUZZ_CHOSEN = $(if $(filter all,$(FUZZ)),$(FUZZ_TARGETS),$(FUZZ))
.PHONY: fuzz fuzz-afl fuzz-campaign fuzz-build fuzz-seeds
fuzz: | deps-clang ## FUZZ_SECONDS (60) of FUZZ (fuzz_image; all) with libFuzzer, ASan and UBSan
	@$(MAKE) BUILD=$(BUILD)/fuzzer CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-build
	@fuzz/run.sh libfuzzer $(BUILD)/fuzzer $(FUZZ_SECONDS) $(FUZZ_CHOSEN)

fuzz-afl: | deps-afl ## the same with AFL++, in persistent mode
	@$(MAKE) BUILD=$(BUILD)/mutators $(FUZZ_TARGETS:%=$(BUILD)/mutators/fuzz/mutator_%.so)
	@AFL_QUIET=1 $(MAKE) BUILD=$(BUILD)/afl CC=afl-clang-fast fuzz-build
	@MUTATORS=$(BUILD)/mutators/fuzz fuzz/run.sh afl $(BUILD)/afl $(FUZZ_SECONDS) $(FUZZ_CHOSEN)

# Without sanitizers, which would take most of the time; properties are required all the same.
fuzz-campaign: | deps-clang ## FUZZ_RUNS (1000000) more of FUZZ, counted in fuzz/CAMPAIGN.md
	@$(MAKE) BUILD=$(BUILD)/campaign CC=clang SANITIZE=fuzzer-no-link fuzz-build
	@fuzz/campaign.sh $(BUILD)/campaign $(FUZZ_RUNS) $(FUZZ_CHOSEN)

FUZZERS := $(FUZZ_TARGETS:%=$(BUILD)/%)
fuzz-build: $(FUZZERS)
$(FUZZERS): $(BUILD)/%: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/mutator.o $(FUZZ_LINKED)
	$(call say,LINK  $@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

MUTATORS := $(FUZZ_TARGETS:%=$(BUILD)/fuzz/mutator_%.so)
$(MUTATORS): $(BUILD)/fuzz/mutator_%.so: $(BUILD)/fuzz/%.o $(BUILD)/fuzz/mutator_afl.o $(FUZZ_LINKED)
	$(call say,LINK  $@)
	$(Q)$(LINK) -shared -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

fuzz-seeds: $(BUILD)/fuzz/make_seeds ## makes fuzz/seeds/ anew, after a change of the format
	@mkdir -p fuzz/seeds
	$(Q)$< fuzz/seeds
