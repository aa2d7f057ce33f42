# Fuzzing: included by the Makefile. A target is fuzz/fuzz_*.c: the engine drives it,
# and without the engine replay.c does.

FUZZ_TARGETS := $(patsubst fuzz/%.c,%,$(wildcard fuzz/fuzz_*.c))
FUZZ_OBJECTS := $(call object,$(wildcard fuzz/*.c))
TEST_OBJECTS += $(FUZZ_OBJECTS)
$(FUZZ_OBJECTS): INCLUDES = -Ilibmemfs -Iformat $(IMAGE_CFLAGS)

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
tests: $(REPLAYS) $(BUILD)/fuzz/make_seeds $(BUILD)/fuzz/mutator.o

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
