# lxcfs-hook: build, test, install.

PREFIX ?= /usr
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/oci
HOOKSDIR ?= $(PREFIX)/share/containers/oci/hooks.d
SHAREDIR ?= $(PREFIX)/share/lxcfs-hook
# Hook files that only podman may read.
PODMANHOOKSDIR ?= $(SHAREDIR)/hooks.d
CONFDIR ?= $(SHAREDIR)/containers.conf.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR ?= $(PREFIX)/share/man
# Distributions with rpm have them in site-functions.
ZSHDIR ?= $(PREFIX)/share/zsh/vendor-completions
# Where distributions have the options of daemons: /etc/sysconfig with rpm.
DEFAULTSDIR ?= /etc/default
MD2MAN ?= go-md2man

SWIFT ?= swift
RELEASE := .build/release
# The programs that are products in Package.swift.
PROGRAMS := $(shell awk -F '"' '/\.executable.name:/ { print $$2 }' Package.swift)

.PHONY: all
all: build ## The same as build

.PHONY: deps
deps: ## Install what building and testing need (Debian, as root)
	Tests/install-deps

.PHONY: build
build: ## Build the release binaries, statically linked
	$(foreach name,$(PROGRAMS),$(SWIFT) build -c release --product $(name) &&) true

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
demo: ## Show a container before and after (as root; installs what that needs, and nothing else)
	Tests/install-deps demo
	@$(MAKE) --no-print-directory build
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
	for page in docs/man/*.8.md; do \
		$(MD2MAN) -in $$page -out .build/man/$$(basename $$page .md) || exit 1; \
	done
	@# Other names of it.
	@if [ -e .build/man/lxcfs-runtime.8 ]; then for name in lxcfs-runc lxcfs-crun; do \
		echo '.so man8/lxcfs-runtime.8' >.build/man/$$name.8 || exit 1; \
	done; fi

# What is completed for the programs that are built.
.PHONY: completions
completions:
	@mkdir -p .build/completions
	@for shell in bash zsh fish; do \
		$(RELEASE)/lxcfsd --generate-completion-script $$shell \
			>.build/completions/lxcfsd.$$shell || exit 1; \
		packaging/completions lxcfs-hook $$shell $(RELEASE)/lxcfs-hook \
			>.build/completions/lxcfs-hook.$$shell || exit 1; \
	done

# What is installed: mode, source, destination. Man pages need not be there.
INSTALLED := \
	$(foreach name,$(PROGRAMS),0755:$(RELEASE)/$(name):$(if $(filter lxcfs-hook%,$(name)),$(LIBEXECDIR),$(BINDIR))/$(name)) \
	0644:hooks.d/50-lxcfs-hook-annotated.json:$(HOOKSDIR)/50-lxcfs-hook-annotated.json \
	0644:hooks.d/podman/50-lxcfs-hook-sysinfo-annotated.json:$(PODMANHOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json \
	0644:hooks.d/50-lxcfs-hook.json:$(SHAREDIR)/for-all/50-lxcfs-hook.json \
	0644:hooks.d/podman/50-lxcfs-hook-sysinfo.json:$(SHAREDIR)/for-all/podman/50-lxcfs-hook-sysinfo.json \
	0644:examples/podman/lxcfs-hook.conf:$(CONFDIR)/lxcfs-hook.conf \
	0644:examples/systemd/lxcfsd.service:$(UNITDIR)/lxcfsd.service \
	$(foreach page,$(PROGRAMS) lxcfs-runc lxcfs-crun,0644:.build/man/$(page).8:$(MANDIR)/man8/$(page).8) \
	$(foreach name,lxcfsd lxcfs-hook, \
		0644:.build/completions/$(name).bash:$(PREFIX)/share/bash-completion/completions/$(name) \
		0644:.build/completions/$(name).zsh:$(ZSHDIR)/_$(name) \
		0644:.build/completions/$(name).fish:$(PREFIX)/share/fish/vendor_completions.d/$(name).fish)
# Symbolic links: where they lead, and where they are.
LINKED := $(LIBEXECDIR)/lxcfs-hook:$(BINDIR)/lxcfs-hook \
	$(BINDIR)/lxcfs-runtime:$(BINDIR)/lxcfs-runc $(BINDIR)/lxcfs-runtime:$(BINDIR)/lxcfs-crun
# What somebody may have changed is left as it is.
CONFIGURED := packaging/lxcfsd.default:$(DEFAULTSDIR)/lxcfsd

.PHONY: install
install: ## Install what has been built: programs, hook files (by annotation), systemd unit, man pages
	@for program in $(PROGRAMS); do \
		[ -x $(RELEASE)/$$program ] || { \
			echo "$(RELEASE)/$$program is not there: make build first" >&2; exit 1; }; \
	done
	@$(MAKE) --no-print-directory man completions
	# buildah and CRI-O read HOOKSDIR, too, and would start nothing with a precreate file in it.
	# 0.1.0 has installed it there.
	@rm -f $(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json
	@for entry in $(INSTALLED); do \
		IFS=:; set -- $$entry; unset IFS; \
		case $$2 in *.8) [ -e $$2 ] || continue;; esac; \
		echo "$$3"; install -D -m $$1 $$2 $(DESTDIR)$$3 || exit 1; \
	done
	@for entry in $(LINKED); do \
		echo "$${entry#*:}"; mkdir -p $(DESTDIR)$$(dirname $${entry#*:}) && \
		ln -sfr $(DESTDIR)$${entry%:*} $(DESTDIR)$${entry#*:} || exit 1; \
	done
	@for entry in $(CONFIGURED); do \
		[ -e $(DESTDIR)$${entry#*:} ] || \
		install -D -m 0644 $${entry%:*} $(DESTDIR)$${entry#*:} || exit 1; \
	done

.PHONY: uninstall
uninstall: ## Remove what install installs, after giving containers the kernel's files back
	@[ -n "$(DESTDIR)" ] || packaging/scripts/before-removal
	@for entry in $(INSTALLED); do rm -f $(DESTDIR)$${entry##*:}; done
	@for entry in $(LINKED); do rm -f $(DESTDIR)$${entry#*:}; done
	@for entry in $(CONFIGURED); do \
		file=$(DESTDIR)$${entry#*:}; \
		if [ ! -e $$file ] || cmp -s $${entry%:*} $$file; then rm -f $$file; \
		else echo "$$file has been changed, and stays" >&2; fi; \
	done
	@rm -f $(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json
	@for directory in $(SHAREDIR)/for-all/podman $(SHAREDIR)/for-all $(PODMANHOOKSDIR) $(CONFDIR) \
		$(SHAREDIR); do \
		[ ! -d $(DESTDIR)$$directory ] || \
		rmdir --ignore-fail-on-non-empty $(DESTDIR)$$directory; \
	done
	@[ -n "$(DESTDIR)" ] || packaging/scripts/after-removal

.PHONY: dist
dist: ## Build, and make packages: .deb, .rpm, tarball, OCI image, SHA256SUMS, in dist/
	@$(MAKE) --no-print-directory build
	packaging/dist

.PHONY: packages-test
packages-test: ## Install, upgrade and remove the packages in Debian 12 and 13 (as root)
	Tests/install-deps packages
	@$(MAKE) --no-print-directory build test-tools
	Tests/packages/run

.PHONY: clean
clean: ## Remove build products
	rm -rf .build dist

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
