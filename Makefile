# Two commands are all that anyone needs on a fresh machine: `make run` and `make test`.
# The build itself is Meson's (meson.build); this names what one does with it.

ARGS ?=
FUZZ_SECONDS ?= 30
PREFIX ?= /usr/local
TSAN_TESTS ?= integration
SANITIZE = -Db_lundef=false --buildtype=debug --optimization=1
export ASAN_OPTIONS ?= detect_leaks=1:strict_string_checks=1
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS ?= halt_on_error=1:second_deadlock_stack=1

.PHONY: all help run test check docs screenshots site lint format fuzz bench asan tsan install clean deps-build deps-test

all: deps-build build/build.ninja ## install what is missing, and build build/freshet
	@ninja -C build
	@build/freshet --version | grep '^no console' || true

help: ## this list
	@echo 'usage: make [target]   (ARGS="…" goes to freshet, FUZZ_SECONDS=30 to each fuzzer)'
	@sed -n 's/^\([a-z]*\):.* ## /\1\t/p' Makefile | expand -t 12 | sed 's/^/  /'

run: all ## install what is missing, build, and start the server in the foreground
	@echo "freshet: the last line below says where to look at it in a browser"
	@echo "freshet: listen with   curl -N localhost:8042/events/news"
	@echo "freshet: publish with  curl -d 'hello' localhost:8042/events/news"
	@echo "+ build/freshet serve --cors-origin '*' $(ARGS)"
	@exec build/freshet serve --cors-origin '*' $(ARGS)

test: deps-test all ## install what is missing, build, and run every test
	tests/units build
	tools/check-layers
	tools/docs --check
	tests/run

screenshots: deps-test all ## draw docs/pictures/*.png, from a real server in a real browser
	@tests/run --install
	node tests/browser/screenshots.mjs $(SHOTS)

docs: all ## write docs/settings.md and the man pages anew, from the program
	tools/docs

site: ## the documentation as a static site, in build/site
	@tools/deps site
	node tools/site.mjs

lint: all ## layout, clang-tidy, layers, shell scripts
	@tools/deps lint
	tools/lint

format: ## lay out every C file
	@tools/deps lint
	find src include tests/unit fuzz bench -name '*.[ch]' 2>/dev/null | xargs clang-format -i

fuzz: deps-build ## run each fuzzer for FUZZ_SECONDS (clang, libFuzzer)
	@tools/deps fuzz
	@test -f build-fuzz/build.ninja || CC=clang meson setup build-fuzz $(SANITIZE) -Dfuzzers=true -Dtests=false \
	    -Db_sanitize=address,undefined -Dc_args=-fsanitize=fuzzer-no-link
	@ninja -C build-fuzz
	tools/fuzz $(FUZZ_SECONDS)

bench: deps-build ## measure: the short form of everything in bench/, into build-bench/figures.md
	@tools/deps test
	@tests/run --install || echo 'bench: without npm modules, their parser is not measured'
	@test -f build-bench/build.ninja || meson setup build-bench --buildtype=release -Dbench=true -Dtests=false
	@ninja -C build-bench
	bench/all

asan: deps-test ## unit and integration tests under the address and undefined behaviour sanitizers
	@tools/deps sanitize
	@test -f build-asan/build.ninja || meson setup build-asan $(SANITIZE) -Db_sanitize=address,undefined
	@ninja -C build-asan
	tests/units build-asan --timeout-multiplier 4
	FRESHET_BIN=build-asan/freshet FRESHET_SLOW=3 tests/run integration

tsan: deps-test ## unit and integration tests under the thread sanitizer
	@tools/deps sanitize
	@test -f build-tsan/build.ninja || meson setup build-tsan $(SANITIZE) -Db_sanitize=thread
	@ninja -C build-tsan
	tests/units build-tsan --timeout-multiplier 8
	FRESHET_BIN=build-tsan/freshet FRESHET_SLOW=5 tests/run $(TSAN_TESTS)

install: all ## install under PREFIX (/usr/local)
	meson configure build --prefix '$(PREFIX)'
	meson install -C build

clean: ## remove what was built
	rm -rf build build-asan build-tsan build-fuzz build-bench build-ci tests/node_modules web/node_modules \
	    examples/nextjs/node_modules examples/nextjs/.next

deps-build:
	@tools/deps build

deps-test:
	@tools/deps build test

build/build.ninja:
	meson setup build
