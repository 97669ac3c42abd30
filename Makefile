# Forwards to CMake presets and the test runner; everything real is there.
.PHONY: all run test test-all bench install clean setup dev asan format
all: setup
	@cmake --preset release >build-release.log 2>&1 || { cat build-release.log; rm -f build-release.log; exit 1; }; rm -f build-release.log
	cmake --build --preset release

setup:
	@tools/setup

run: all
	@examples/show

test: all
	@test/run-tests

test-all: all
	@test/run-tests --all

bench: all
	@test/bench/run

dev asan: setup
	cmake --preset $@ && cmake --build --preset $@

install: all
	cmake --install build/release

format:
	git ls-files '*.cpp' '*.h' '*.c' | xargs clang-format-19 -i

clean:
	rm -rf build
