# lxcfs-hook: build, test, install.

PREFIX ?= /usr
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/oci
HOOKSDIR ?= $(PREFIX)/share/containers/oci/hooks.d
UNITDIR ?= $(PREFIX)/lib/systemd/system

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

.PHONY: test
test: deps lint unit build e2e vm ## Install what is needed and run all tests (as root)

.PHONY: unit
unit: ## Unit tests
	Tests/unit

.PHONY: e2e
e2e: ## End-to-end tests on this machine's runtimes (as root)
	Tests/e2e/run

.PHONY: vm
vm: ## The same end-to-end tests on cgroup v2 with 4 CPUs, in a virtual machine (as root)
	Tests/vm/run-vm --timeout 1200 -- env E2E_LIVES=10 Tests/e2e/run

.PHONY: demo
demo: deps build ## Show a container before and after (as root)
	examples/demo

.PHONY: bench
bench: deps build ## Measure
	Tests/bench/run

.PHONY: lint
lint: ## Check the format of the Swift code
	$(SWIFT) format lint --strict -r Package.swift Sources Tests

.PHONY: fmt
fmt: ## Format the Swift code
	$(SWIFT) format -i -r Package.swift Sources Tests

.PHONY: install
install: build ## Install daemon, hook, hook file (by annotation) and systemd unit
	install -D -m 0755 $(RELEASE)/lxcfsd $(DESTDIR)$(BINDIR)/lxcfsd
	install -D -m 0755 $(RELEASE)/lxcfs-hook $(DESTDIR)$(LIBEXECDIR)/lxcfs-hook
	install -D -m 0644 hooks.d/50-lxcfs-hook-annotated.json \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-annotated.json
	install -D -m 0644 hooks.d/50-lxcfs-hook-sysinfo-annotated.json \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json
	install -D -m 0644 examples/systemd/lxcfsd.service $(DESTDIR)$(UNITDIR)/lxcfsd.service

.PHONY: uninstall
uninstall: ## Remove what install installs
	rm -f $(DESTDIR)$(BINDIR)/lxcfsd $(DESTDIR)$(LIBEXECDIR)/lxcfs-hook \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-annotated.json \
		$(DESTDIR)$(HOOKSDIR)/50-lxcfs-hook-sysinfo-annotated.json \
		$(DESTDIR)$(UNITDIR)/lxcfsd.service

.PHONY: clean
clean: ## Remove build products
	rm -rf .build

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
