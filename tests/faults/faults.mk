# System calls that fail, kills and power losses: faults.sh runs these two.
FAULT_OBJECTS := $(call object,tests/faults/box.c tests/faults/calls.c tests/faults/runner.c)
FAULT_PROGRAMS := $(BUILD)/tests/faults/faults $(BUILD)/tests/faults/power_loss
TEST_OBJECTS += $(FAULT_OBJECTS) $(FAULT_PROGRAMS:=.o) $(call object,tests/faults/disk.c)

$(FAULT_PROGRAMS): %: %.o $(FAULT_OBJECTS)
	$(call say,LINK  $@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^)

$(BUILD)/tests/faults/power_loss: $(call object,tests/faults/disk.c)

# They trace memfs, which an emulator does not let them, and know the calls of 64-bit machines.
ifeq ($(EMULATOR),)
tests: $(FAULT_PROGRAMS)
endif
