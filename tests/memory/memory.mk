# What denies memory to the command is preloaded into it, and so a shared object.
DENY_OBJECT := $(BUILD)/tests/memory/deny.o
DENY := $(BUILD)/tests/memory/deny.so
TEST_OBJECTS += $(DENY_OBJECT)

$(DENY): $(DENY_OBJECT)
	$(call say,LINK  $@)
	$(Q)$(LINK) -shared -o $@ $^

tests: $(DENY)
