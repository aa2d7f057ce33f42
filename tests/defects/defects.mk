# Planted defects: which test catches each. Takes half an hour, so that make check only asks whether
# the table still fits the tree (tests/run.sh).
.PHONY: check-defects
check-defects: tests ## plants sixty defects in a copy, one at a time, and tells which test catches each
	@BUILD=$(abspath $(BUILD)) CC='$(CC)' tests/defects/defects.sh --markdown
