# Damage, bombs, and images that change while they are read.
DAMAGE_SUITES := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/damage/test_*.c))
DAMAGE_PROGRAMS := $(DAMAGE_SUITES) $(BUILD)/tests/damage/make_bombs
DAMAGE_HELPERS := $(BUILD)/tests/damage/look.o $(BUILD)/tests/damage/bombs.o
TEST_OBJECTS += $(DAMAGE_HELPERS) $(DAMAGE_PROGRAMS:=.o)

$(DAMAGE_HELPERS) $(DAMAGE_PROGRAMS:=.o): INCLUDES = -Ilibmemfs -Iformat -Itests -Itests/damage $(TEST_CFLAGS) $(IMAGE_CFLAGS)
$(DAMAGE_HELPERS) $(DAMAGE_PROGRAMS:=.o): | deps-check

$(DAMAGE_PROGRAMS): %: %.o $(DAMAGE_HELPERS) $(HELPER_OBJECTS) $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(LINK_TEST) -o $@ $^ $(TEST_LIBS) $(IMAGE_LIBS)

tests: $(DAMAGE_PROGRAMS)
tests-fast: $(call alone,$(DAMAGE_SUITES))
