# Who attacks while memfs packs and unpacks, and what tries to get out of the sandbox: included by the Makefile.
ENEMY := $(BUILD)/tests/enemies/enemy
PRISONER := $(BUILD)/tests/enemies/prisoner
TEST_OBJECTS += $(ENEMY).o $(PRISONER).o
$(PRISONER).o: INCLUDES = -Ilibmemfs -Iformat -Itools

$(ENEMY): $(ENEMY).o
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $^

# The command but for its main(), so that the sandbox is the very one.
$(PRISONER): $(PRISONER).o $(filter-out $(BUILD)/tools/main.o,$(TOOL_OBJECTS)) $(BUILD)/libmemfs.a
	$(call say,LINK  $@)
	$(Q)$(LINK_TEST) -o $@ $^ $(IMAGE_LIBS) $(COMMAND_LIBS)

tests: $(ENEMY) $(PRISONER)
