# What can be done here, a line each: make help

SWIFT ?= swift
CONFIGURATION ?= debug
# Where packages are put together: make install DESTDIR=/tmp/hawser PREFIX=/usr
DESTDIR ?=
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
# Of systemd and D-Bus alike, whatever the prefix.
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
DOCDIR ?= $(PREFIX)/share/doc/hawser

RELEASE = .build/release
LAB = Scripts/private-lab
# A program of its own, so that it runs on hosts that have no Swift.
STATIC = --static-swift-stdlib

.PHONY: help prepare build release test soak fuzz sanitize protections demo bench lint format protos install uninstall clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

prepare: ## Install the packages that are missing, or say which they are
	@Scripts/prepare

build: prepare ## Build everything for development
	$(SWIFT) build

release: prepare ## Build hawserd and hawser for installing
	$(SWIFT) build -c release $(STATIC) --product hawserd
	$(SWIFT) build -c release $(STATIC) --product hawser

# SwiftPM works outside, for it needs the network and its caches; the tests run inside.
test: prepare ## Build and run all tests, in namespaces of their own
	@Scripts/prepare-python
	$(SWIFT) build --build-tests
	@$(LAB) "$$($(SWIFT) build --show-bin-path)/hawserPackageTests.xctest" --testing-library swift-testing $(TESTS)

# Another seed each time unless it is told one; it is printed, and repeats the run.
soak: prepare ## Random packets and changes by the thousand, every request refused in every way, a kill at every call, an hour of churn
	$(SWIFT) build --build-tests
	@HAWSER_VERDICTS=$${HAWSER_VERDICTS:-120000} HAWSER_CHANGES=$${HAWSER_CHANGES:-2000} \
		HAWSER_REFUSALS=$${HAWSER_REFUSALS:-all} HAWSER_KILLS=$${HAWSER_KILLS:-all} HAWSER_CHURN=$${HAWSER_CHURN:-3600} \
		$(LAB) "$$($(SWIFT) build --show-bin-path)/hawserPackageTests.xctest" --testing-library swift-testing \
		--filter "$${HAWSER_SOAK:-DifferentialTests|DaemonRefusalTests|DaemonKillPointTests|SoakTests}"

# Instrumented for the address sanitizer and libFuzzer: the sources, not the toolchain's libraries. A build of its own, of half an hour at first.
# lld, for gold ends with an internal error on what the instrumentation leaves to be resolved.
RUNTIMES = $(dir $(shell command -v $(SWIFT)))../lib/clang/*/lib/linux
FUZZED = --scratch-path .build-asan --sanitize=address -Xswiftc -use-ld=lld -Xswiftc -sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table \
	-Xlinker --undefined=LLVMFuzzerRunDriver -Xlinker "$$(echo $(RUNTIMES)/libclang_rt.fuzzer_no_main-$$(uname -m).a)" -Xlinker -lstdc++
TARGET ?= yaml
SECONDS ?= 60

# What is found stays in .build-asan/found; a corpus that grew is in .build-asan/corpus. A stack is told by the sanitizer, not by Swift.
fuzz: prepare ## Try what reads bytes of others with libFuzzer: make fuzz TARGET=links SECONDS=600
	$(SWIFT) build --build-tests $(FUZZED)
	@mkdir -p .build-asan/found .build-asan/corpus/$(TARGET)
	@HAWSER_FUZZ=$(TARGET) SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:$$ASAN_OPTIONS \
		HAWSER_FUZZ_OPTIONS="-max_total_time=$(SECONDS) -timeout=20 -rss_limit_mb=4096 -max_len=8192 -print_final_stats=1 -dict=Tests/FuzzTests/words.dict -artifact_prefix=.build-asan/found/$(TARGET)- $(CURDIR)/.build-asan/corpus/$(TARGET)" \
		"$$($(SWIFT) build --scratch-path .build-asan --show-bin-path)/hawserPackageTests.xctest" --testing-library swift-testing --filter FuzzRun

# SANITIZER=address or thread. The thread sanitizer is told what the standard library's Mutex does, in Tests/thread-sanitizer-mutex.c.
SANITIZER ?= address
SANITIZED = .build-$(if $(THREADS),tsan,asan)
THREADS = $(filter thread,$(SANITIZER))
sanitize: prepare ## Run the tests under the address or the thread sanitizer: make sanitize SANITIZER=thread
	@Scripts/prepare-python
	$(SWIFT) build --build-tests $(if $(THREADS),--scratch-path $(SANITIZED) --sanitize=thread,$(FUZZED))
	$(if $(THREADS),@clang -Wall -Werror -O1 -shared -fPIC -o $(SANITIZED)/mutex.so Tests/thread-sanitizer-mutex.c)
	@ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=4:$$ASAN_OPTIONS SWIFT_BACKTRACE=enable=no $(if $(THREADS),LD_PRELOAD=$(CURDIR)/$(SANITIZED)/mutex.so) \
		$(LAB) "$$($(SWIFT) build --scratch-path $(SANITIZED) --show-bin-path)/hawserPackageTests.xctest" --testing-library swift-testing $(TESTS)

# PROTECTIONS='one-transaction pods-cant-forge': these alone.
protections: prepare ## Take out each protection in turn: the test that is there for it must notice
	@Scripts/prepare-python
	$(SWIFT) build --build-tests
	@Scripts/take-out $(PROTECTIONS)

demo: prepare ## Show what Hawser does, in namespaces of its own
	$(SWIFT) build -c $(CONFIGURATION) --product hawserd
	$(SWIFT) build -c $(CONFIGURATION) --product hawser
	$(SWIFT) build -c $(CONFIGURATION) --product hawser-demo
	@$(LAB) "$$($(SWIFT) build -c $(CONFIGURATION) --show-bin-path)/hawser-demo"

# What is measured is what `make release` installs, so both are built alike.
bench: prepare ## Measure, and write the table and its JSON
	$(SWIFT) build -c release $(STATIC) --product hawserd
	$(SWIFT) build -c release $(STATIC) --product hawser-bench
	@$(LAB) "$$($(SWIFT) build -c release $(STATIC) --show-bin-path)/hawser-bench" $(BENCH)

lint: ## Hold the sources to their format and the direction of imports, documents to their links, protections to what they take out
	@Scripts/sources | xargs -0 $(SWIFT) format lint --strict --parallel
	@Scripts/check-imports
	@Scripts/check-documents
	@Scripts/take-out --check

format: ## Format the sources
	@Scripts/sources | xargs -0 $(SWIFT) format --in-place --parallel

protos: ## Generate the messages and clients of Sources/HawserProtocol anew
	@Scripts/prepare protobuf-compiler
	$(SWIFT) build --product protoc-gen-swift
	$(SWIFT) build --product protoc-gen-grpc-swift-2
	@Scripts/generate-protocol "$$($(SWIFT) build --show-bin-path)"

install: ## Put what `make release` built in its place (DESTDIR, PREFIX)
	@test -x $(RELEASE)/hawserd -a -x $(RELEASE)/hawser || { echo "nothing is built yet: make release" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/bin
	install -m 0755 $(RELEASE)/hawserd $(DESTDIR)$(PREFIX)/sbin/hawserd
	install -m 0755 $(RELEASE)/hawser $(DESTDIR)$(PREFIX)/bin/hawser
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(TMPFILESDIR)
	sed -e 's|/usr/sbin/hawserd|$(PREFIX)/sbin/hawserd|' -e 's|/usr/share/doc/hawser|$(DOCDIR)|' Systemd/hawserd.service > $(DESTDIR)$(UNITDIR)/hawserd.service
	chmod 0644 $(DESTDIR)$(UNITDIR)/hawserd.service
	install -m 0644 Systemd/hawser.sysusers $(DESTDIR)$(SYSUSERSDIR)/hawser.conf
	install -m 0644 Systemd/hawser.tmpfiles $(DESTDIR)$(TMPFILESDIR)/hawser.conf
	install -d $(DESTDIR)$(SYSCONFDIR)/hawser $(DESTDIR)$(SYSCONFDIR)/hawser/intents.d
	test -e $(DESTDIR)$(SYSCONFDIR)/hawser/hawserd.yaml || install -m 0644 Config/hawserd.yaml $(DESTDIR)$(SYSCONFDIR)/hawser/hawserd.yaml
	install -d $(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(DOCDIR)/Decisions
	install -m 0644 Config/examples/*.yaml $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 README.md CHANGELOG.md SECURITY.md LICENSE Docs/*.md $(DESTDIR)$(DOCDIR)
	install -m 0644 Docs/Decisions/*.md $(DESTDIR)$(DOCDIR)/Decisions
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	for program in hawser hawserd; do \
		$(RELEASE)/$$program --generate-completion-script bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program && \
		$(RELEASE)/$$program --generate-completion-script zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$program && \
		$(RELEASE)/$$program --generate-completion-script fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish || exit 1; \
	done

uninstall: ## Remove what `make install` put there; settings, intents and state stay
	rm -f $(DESTDIR)$(PREFIX)/sbin/hawserd $(DESTDIR)$(PREFIX)/bin/hawser $(DESTDIR)$(UNITDIR)/hawserd.service \
		$(DESTDIR)$(SYSUSERSDIR)/hawser.conf $(DESTDIR)$(TMPFILESDIR)/hawser.conf
	rm -rf $(DESTDIR)$(DOCDIR)
	for program in hawser hawserd; do \
		rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$program $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$program \
			$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/$$program.fish; \
	done

clean: ## Remove what was built
	rm -rf .build .build-asan .build-tsan
