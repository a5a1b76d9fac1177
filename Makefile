# Everything a fresh machine needs is Python 3.11 and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

# For arm64-parity: an export folder; without one the shipped checkpoint is exported, with int8
# where there are photos.
EXPORT ?=
PHOTOS ?= $(wildcard $(or $(HIERATTN_PHOTOS),../shared/data)/pad_ufes_20)

.PHONY: demo test test-ci test-all lint format clean arm64-parity apk apk-desktop test-android \
	test-ios

demo: $(READY)
	rm -rf demo
	$(BIN)/hierattn demo --out demo
	@echo "In this shell first: . .venv/bin/activate"

test: $(READY)
	$(BIN)/pytest -n auto --dist loadscope -m "not slow"

# All but those that take minutes each; what .ci/run calls.
test-ci: $(READY)
	$(BIN)/pytest -n auto --dist loadscope -m "not long"

test-all: $(READY)
	$(BIN)/pytest -n auto --dist loadscope

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The Java core held against Python, byte for byte, on the desktop's Java; BUNDLE=folder adds the
# golden images of a real bundle (.../assets/hierattn).
BUNDLE ?=
test-android: $(READY)
	$(BIN)/python -m tests.android.java_core $(if $(BUNDLE),--bundle $(BUNDLE))

# The Swift core likewise, by Debian 13's compiler, which is fetched once into the cache (545 MB) and
# not installed; ends with 3, "Error 3" in make's words, where it cannot be had.
test-ios: $(READY)
	$(BIN)/python -m tests.ios.swift_core $(if $(EXPORT),--export $(EXPORT))

arm64-parity: $(READY)
ifeq ($(EXPORT),)
	rm -rf build/arm64
	$(BIN)/hierattn export hierattn_xs.pad_ufes_20 --out build/arm64 --format onnx,tflite \
		$(if $(PHOTOS),--data $(PHOTOS))
	$(BIN)/python -m export.targets.arm64 build/arm64
else
	$(BIN)/python -m export.targets.arm64 $(EXPORT)
endif

# The Android app without an SDK; ABI="arm64-v8a x86_64" for more processors. The program ends
# with 3 where a package cannot be had on this machine, which make reports as "Error 3".
ABI ?= arm64-v8a
apk: $(READY)
	$(BIN)/python -m android_demo.offline $(addprefix --abi ,$(ABI))

# The classes of that APK ask the network on this machine's Java; needs a C compiler too.
apk-desktop: $(READY)
	$(BIN)/python -m android_demo.offline.desktop > /dev/null

$(READY): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
