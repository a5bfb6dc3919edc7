# lxcfs-hook: build, test, install.

PREFIX ?= /usr
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/oci
HOOKSDIR ?= $(PREFIX)/share/containers/oci/hooks.d
# Hook files that only podman may read.
PODMANHOOKSDIR ?= $(PREFIX)/share/lxcfs-hook/hooks.d
CONFDIR ?= $(PREFIX)/share/lxcfs-hook/containers.conf.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR ?= $(PREFIX)/share/man
MD2MAN ?= go-md2man

SWIFT ?= swift
RELEASE := .build/release

.PHONY: all
all: build ## The same as build

.PHONY: deps
deps: ## Install what building and testing need (Debian, as root)
	Tests/install-deps

.PHONY: build
build: ## Build the release binaries, statically linked
	$(SWIFT) build -c release --product lxcfsd
	$(SWIFT) build -c release --product lxcfs-hook
	$(SWIFT) build -c release --product lxcfs-runtime

.PHONY: test-tools
test-tools: ## Build the programs that tests need
	$(SWIFT) build -c release --product readload

.PHONY: releases
releases: ## Build the releases from which this version has to take over, once
	# Without them e2e says which it lacks, and in CI fails for that.
	-Tests/releases/build

.PHONY: test
test: deps lint unit build docs test-tools releases e2e ## Install what is needed and run all tests (as root)
	# Building the fuzzer takes minutes, which the virtual machine hides.
	$(MAKE) -j 2 vm fuzz-build
	$(MAKE) fuzz-short

.PHONY: unit
unit: ## Unit tests
	Tests/unit

.PHONY: layers
layers: ## Find files that use each other in a circle, or one that is above them (part of unit)
	$(SWIFT) build
	Tests/layers --self-test
	Tests/layers --strict

.PHONY: e2e
e2e: ## End-to-end tests on this machine's runtimes (as root)
	Tests/e2e/run

# What depends on cgroups most. Emulation is slow; vm-all runs the rest too.
VM_TESTS ?= $(addprefix Tests/e2e/,$(addsuffix .bats,10_values 19_cpus 19_taking 19_used 40_daemon 45_reading 50_engines 60_examples))

.PHONY: vm
vm: ## Tests on cgroup v2 with 4 CPUs, in a virtual machine (as root)
	Tests/vm/run-vm --timeout 1800 -- Tests/e2e/run $(VM_TESTS)

.PHONY: vm-all
vm-all: ## All end-to-end tests in the virtual machine (half an hour and more)
	Tests/vm/run-vm --timeout 3600 -- env SURVIVAL_KILLS=5 SURVIVAL_UPGRADES=2 Tests/e2e/run

.PHONY: vm-lxcfs
vm-lxcfs: ## Compare each field with the newest lxcfs, in the virtual machine
	Tests/vm/lxcfs

.PHONY: vm-cpus
vm-cpus: ## CPU ids where 80 CPUs are possible and 2 are there, in the virtual machine
	Tests/vm/run-vm --cpus 2,maxcpus=80 --timeout 1200 -- Tests/e2e/run \
		Tests/e2e/19_cpus.bats Tests/e2e/10_values.bats

.PHONY: field
field: deps build ## Programs of the field that are too large for e2e: Java, Node, MKL, DPDK, ... (installs them; as root)
	Tests/field/run

.PHONY: hostile
hostile: deps build test-tools ## What a neighbour notices of hostile containers, with the bars as they stand (as root, on a machine that does nothing else)
	env HOSTILE_STRICT=1 Tests/e2e/run $(wildcard Tests/e2e/2[05-9]_*.bats Tests/e2e/3[1-9]_*.bats)

.PHONY: soak
soak: deps build test-tools releases ## Kill and upgrade the daemon a thousand times under load, race the hook, 10,000 containers, 10 million reads (as root, 30 minutes)
	env SURVIVAL_KILLS=1000 SURVIVAL_ABORTS=1000 SURVIVAL_UPGRADES=50 \
		SURVIVAL_REPLACEMENTS=50 SURVIVAL_RESTARTS=50 RACE_TRIES=10000 \
		SOAK_LIFECYCLES=5000 SOAK_READS=10000000 \
		RELEASES_UPGRADES=50 \
		Tests/e2e/run $(addprefix Tests/e2e/,$(addsuffix .bats,70_survival 71_releases 75_race 76_soak))

.PHONY: fuzz
fuzz: ## Fuzz each parser of outside bytes for FUZZ_SECONDS (600; all of them three hours)
	Tests/fuzz/run

.PHONY: fuzz-build
fuzz-build: ## Build the fuzzer
	nice -n 19 Tests/fuzz/run --list >/dev/null

.PHONY: fuzz-short
fuzz-short: ## Fuzz all parsers for a minute together
	env FUZZ_TOTAL=60 FUZZ_SEED=1 Tests/fuzz/run

.PHONY: sanitize
sanitize: deps build test-tools ## Unit tests and a daemon under load with AddressSanitizer and ThreadSanitizer (as root)
	Tests/sanitize

.PHONY: demo
demo: deps build ## Show a container before and after (as root)
	examples/demo

.PHONY: bench
bench: deps build ## Measure
	Tests/bench/run

.PHONY: lint
lint: ## Check the format of the Swift code
	$(SWIFT) format lint --strict -r Package.swift Sources Tests

.PHONY: docs
docs: ## Find what the documents say and is not so: paths, links, options (after make build)
	Tests/docs

.PHONY: fmt
fmt: ## Format the Swift code
	$(SWIFT) format -i -r Package.swift Sources Tests

.PHONY: man
man: ## Render the man pages into .build/man (with go-md2man; without it there are none)
	@mkdir -p .build/man
	@if ! command -v $(MD2MAN) >/dev/null; then \
		echo "no man pages: $(MD2MAN) is not installed" >&2; exit 0; fi; \
	for page in lxcfsd lxcfs-hook lxcfs-runtime; do \
		$(MD2MAN) -in docs/man/$$page.8.md -out .build/man/$$page.8 || exit 1; \
	done

.PHONY: install
install: build man ## Install daemon, hook, runtime, hook files (by annotation), systemd unit and man pages
	install -D -m 0755 $(RELEASE)/lxcfsd $(DESTDIR)$(BINDIR)/lxcfsd
	install -D -m 0755 $(RELEASE)/lxcfs-hook $(DESTDIR)$(LIBEXECDIR)/lxcfs-hook
	install -D -m 0755 $(RELEASE)/lxcfs-runtime $(DESTDIR)$(BINDIR)/lxcfs-runtime
	# By these names it is the runtime in the name.
	ln -sf lxcfs-runtime $(DESTDIR)$(BINDIR)/lxcfs-runc
	ln -sf lxcfs-runtime $(DESTDIR)$(BINDIR)/lxcfs-crun
	install -D -m 0644 hooks.d/50-lxcfs-hook-annotated.json \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-annotated.json
	# buildah and CRI-O read HOOKSDIR, too, and would start nothing with a precreate file in it.
	# 0.1.0 has installed it there.
	rm -f $(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json
	install -D -m 0644 hooks.d/podman/50-lxcfs-hook-sysinfo-annotated.json \
		$(DESTDIR)$(PODMANHOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json
	install -D -m 0644 examples/podman/lxcfs-hook.conf $(DESTDIR)$(CONFDIR)/lxcfs-hook.conf
	install -D -m 0644 examples/systemd/lxcfsd.service $(DESTDIR)$(UNITDIR)/lxcfsd.service
	for page in lxcfsd lxcfs-hook lxcfs-runtime; do \
		[ ! -e .build/man/$$page.8 ] || install -D -m 0644 .build/man/$$page.8 \
			$(DESTDIR)$(MANDIR)/man8/$$page.8 || exit 1; \
	done

.PHONY: uninstall
uninstall: ## Remove what install installs
	rm -f $(DESTDIR)$(BINDIR)/lxcfsd $(DESTDIR)$(LIBEXECDIR)/lxcfs-hook \
		$(DESTDIR)$(BINDIR)/lxcfs-runtime $(DESTDIR)$(BINDIR)/lxcfs-runc \
		$(DESTDIR)$(BINDIR)/lxcfs-crun \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-annotated.json \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json \
		$(DESTDIR)$(PODMANHOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json \
		$(DESTDIR)$(CONFDIR)/lxcfs-hook.conf \
		$(DESTDIR)$(UNITDIR)/lxcfsd.service \
		$(DESTDIR)$(MANDIR)/man8/lxcfsd.8 $(DESTDIR)$(MANDIR)/man8/lxcfs-hook.8 \
		$(DESTDIR)$(MANDIR)/man8/lxcfs-runtime.8

.PHONY: clean
clean: ## Remove build products
	rm -rf .build

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
