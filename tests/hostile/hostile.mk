# Hostile images: included by the Makefile.
HOSTILE_OBJECTS := $(call object,$(wildcard tests/hostile/*.c))
TEST_OBJECTS += $(HOSTILE_OBJECTS)
$(HOSTILE_OBJECTS): INCLUDES = -Ilibmemfs -Iformat -Itests $(TEST_CFLAGS) $(IMAGE_CFLAGS)
$(HOSTILE_OBJECTS): | deps-check

$(BUILD)/tests/hostile/hostile: $(HOSTILE_OBJECTS) $(HELPER_OBJECTS) $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(LINK_TEST) -o $@ $^ $(TEST_LIBS) $(IMAGE_LIBS)

tests: $(BUILD)/tests/hostile/hostile
tests-fast: $(call alone,$(BUILD)/tests/hostile/hostile)
