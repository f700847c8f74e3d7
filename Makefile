# SPDX-License-Identifier: MIT
# hdmabuf: the protocol header, the library, two reference programs, tests.
# `make help` lists what can be made. Build products land below $(BUILD) only.

VERSION   := 0.1.0
SOVERSION := 0

BUILD      ?= build
DESTDIR    ?=
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share

CFLAGS     ?= -O2 -g
INSTALL    ?= install
NM         ?= nm
OBJCOPY    ?= objcopy
PKG_CONFIG ?= pkg-config
FUZZER     ?=
SANITIZE   ?=
WERROR     ?=
WITHOUT    ?=

# Whatever the environment says, what is here is what a name means.
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
export BUILD CC

comma := ,
ifeq ($(V),)
Q := @
say = @printf '  %-8s%s\n' $(1) $(2)
endif

# ---- What there is ----------------------------------------------------------

# Optional dependencies: `make WITHOUT="sdl2 libpng"` does without. Xen's are three.
OPTIONAL := libpng sdl2 jansson libdrm xen
packages  = $(patsubst xen,xengnttab xenevtchn xenstore,$(1))
FOUND    := $(strip $(foreach lib,$(filter-out $(WITHOUT),$(OPTIONAL)), \
		$(shell $(PKG_CONFIG) --exists $(call packages,$(lib)) 2>/dev/null && echo $(lib))))
XEN      := $(filter xen,$(FOUND))

possible = $(if $(XEN),$(1),$(filter-out lib/platform/xen% lib/gref/% \
		reference-backend/xen% conformance/tests/xen_% tests/fake_xen% \
		tools/% lab/% bench/xen_%,$(1)))
sources = $(filter-out %_test.c,$(call possible,$(wildcard $(1))))
objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archive = $(BUILD)/obj/lib$(1).a

LIB_SRC  := $(call sources,lib/*.c lib/*/*.c)
CORE_SRC := $(filter lib/core/% lib/trace/%,$(LIB_SRC))
PARTS    := reference-common reference-frontend reference-backend tests conformance tools
BENCH_SRC := $(call possible,$(wildcard bench/*.c))
TEST_SRC := $(call possible,$(wildcard lib/*_test.c lib/*/*_test.c tests/*_test.c \
		reference-*/*_test.c conformance/*_test.c conformance/*/*_test.c \
		tools/*_test.c))
# The suite has folders; its tests/ are parts of it, not tests of this tree.
part_sources = $(call sources,$(1)/*.c $(filter conformance/%,$(1)/*/*.c))
LAB_SRC  := $(filter-out $(if $(filter libdrm,$(FOUND)),,lab/programs/draw.c), \
		$(call possible,$(wildcard lab/programs/*.c)))
# Each is a fuzz target; what they share is in common/.
FUZZ_SRC := $(filter-out $(if $(filter libpng,$(FOUND)),,assurance/fuzz/png.c), \
		$(call sources,assurance/fuzz/*.c))
SRC      := $(LIB_SRC) $(foreach part,$(PARTS),$(call part_sources,$(part))) \
		$(TEST_SRC) $(LAB_SRC) $(BENCH_SRC) $(FUZZ_SRC) \
		$(call sources,assurance/fuzz/common/*.c)

PUBLIC_H   := $(wildcard include/hdmabuf/*.h)
PROTOCOL_H := $(wildcard protocol/*.h)
BINDINGS_H := $(wildcard protocol/bindings/*.h)

STATIC_LIB := $(BUILD)/lib/libhdmabuf.a
SHARED_LIB := $(BUILD)/lib/libhdmabuf.so.$(SOVERSION)
DEV_LINK   := $(BUILD)/lib/libhdmabuf.so
# A program is there when its folder has sources.
PEERS      := $(foreach end,frontend backend,$(if \
		$(call sources,reference-$(end)/*.c),$(BUILD)/bin/hdmabuf-$(end)))
SUITE      := $(BUILD)/bin/hdmabuf-conformance
XEN_TOOL   := $(if $(call sources,tools/*.c),$(BUILD)/bin/hdmabuf-xen)
PROGRAMS   := $(PEERS) $(SUITE) $(XEN_TOOL)

TESTS        := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(TEST_SRC)))
TEST_SCRIPTS := $(wildcard $(foreach dir,tests bench conformance conformance/* scripts \
		scripts/*,$(dir)/*_test.sh $(dir)/*_test.py))
ifneq ($(words $(TESTS)),$(words $(sort $(TESTS))))
$(error two tests have the same name: $(TEST_SRC))
endif

# ---- Flags ------------------------------------------------------------------

ifneq ($(FOUND),)
OPTIONAL_CFLAGS := $(patsubst -I%,-isystem%, \
		$(shell $(PKG_CONFIG) --cflags $(call packages,$(FOUND))))
OPTIONAL_LIBS   := $(shell $(PKG_CONFIG) --libs $(call packages,$(FOUND)))
endif
# The library itself needs some of them.
ifneq ($(XEN),)
LIB_CFLAGS  := $(patsubst -I%,-isystem%,$(shell $(PKG_CONFIG) --cflags $(call packages,xen))) \
	       -DHDMABUF_HAVE_XEN=1
LIB_LIBS    := $(shell $(PKG_CONFIG) --libs $(call packages,xen))
STATIC_LIBS := $(shell $(PKG_CONFIG) --static --libs $(call packages,xen))
endif
OPTIONAL_CFLAGS += $(if $(filter libpng,$(FOUND)),-DHDMABUF_HAVE_PNG=1) \
		   $(if $(filter sdl2,$(FOUND)),-DHDMABUF_HAVE_SDL2=1) \
		   $(if $(filter jansson,$(FOUND)),-DHDMABUF_HAVE_JANSSON=1) \
		   $(if $(filter libdrm,$(FOUND)),-DHDMABUF_HAVE_LIBDRM=1) \
		   $(if $(XEN),-DHDMABUF_HAVE_XEN=1)

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
ifneq ($(SANITIZE),)
# 1 stands for the pair that a whole test run passes under.
SANITIZERS := -fsanitize=$(if $(filter 1,$(SANITIZE)),address$(comma)undefined,$(SANITIZE)) \
	      -fno-sanitize-recover=all -fno-omit-frame-pointer
else
FORTIFY := $(if $(filter-out -O0,$(filter -O%,$(CFLAGS))),-D_FORTIFY_SOURCE=2)
NO_UNDEFINED := -Wl,-z,defs
endif

# Control-flow protection has no effect where the C library comes without, as Debian's.
understood = $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null 2>/dev/null && echo $(1))
HARDENING := -fstack-protector-strong $(call understood,-fstack-clash-protection)

FLAGS := -std=gnu11 $(WARNINGS) -falign-loops=32 $(HARDENING) \
	 $(SANITIZERS) -Iprotocol -Iinclude -I. \
	 -DHDMABUF_PACKAGE_VERSION='"$(VERSION)"'
HOSTED_FLAGS  := -U_FORTIFY_SOURCE $(FORTIFY)
CORE_FLAGS    := -fPIC -ffreestanding -U_FORTIFY_SOURCE
LIB_FLAGS     := -fPIC $(HOSTED_FLAGS) $(LIB_CFLAGS)
PROGRAM_FLAGS := -fPIE $(HOSTED_FLAGS) $(OPTIONAL_CFLAGS)
LINK_FLAGS    := $(SANITIZERS) -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
CMOCKA_LIBS   := $(shell $(PKG_CONFIG) --libs cmocka 2>/dev/null || echo -lcmocka)

# Warnings that are errors make no other object, hence are not in the stamp.
STRICT := $(if $(filter 1,$(WERROR)),-Werror)
compile_flags = $(CPPFLAGS) $(FLAGS) $(KIND_FLAGS) $(CFLAGS) $(STRICT) -MMD -MP -c
compile = $(CC) $(compile_flags)

# ---- all --------------------------------------------------------------------

.PHONY: all
all: $(STATIC_LIB) $(DEV_LINK) $(PROGRAMS) ## the library and the programs (the default)

# These change only when what is in them does: other flags, other objects.
FLAGS_STAMP   := $(BUILD)/obj/flags
OBJECTS_STAMP := $(BUILD)/obj/objects
$(FLAGS_STAMP): NOW = $(CC) $(CPPFLAGS) $(FLAGS) $(CORE_FLAGS) $(LIB_FLAGS) \
		$(PROGRAM_FLAGS) $(CFLAGS) $(LDFLAGS) $(LINK_FLAGS)
$(OBJECTS_STAMP): NOW = $(SRC)
$(FLAGS_STAMP) $(OBJECTS_STAMP): FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(NOW))' | cmp -s - $@ || \
		printf '%s\n' '$(subst ','\'',$(NOW))' >$@

$(call objects,$(SRC)): KIND_FLAGS = $(PROGRAM_FLAGS)
$(call objects,$(LIB_SRC)): KIND_FLAGS = $(LIB_FLAGS)
$(call objects,$(CORE_SRC)): KIND_FLAGS = $(CORE_FLAGS)

$(call objects,$(SRC)): $(BUILD)/obj/%.o: %.c $(FLAGS_STAMP)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $< -o $@

# Tests see the library's insides, programs only what it exports.
WHOLE_LIB := $(call archive,hdmabuf)
$(WHOLE_LIB): $(call objects,$(LIB_SRC))
$(foreach part,$(PARTS),$(eval $(call archive,$(part)): \
	$(call objects,$(call part_sources,$(part)))))
$(WHOLE_LIB) $(foreach part,$(PARTS),$(call archive,$(part))): $(OBJECTS_STAMP)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

# One object, so that no name of the insides meets one of an application.
$(STATIC_LIB): $(call objects,$(LIB_SRC)) $(OBJECTS_STAMP)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	@rm -f $@
	$(Q)$(CC) -r -nostdlib $(filter %.o,$^) -o $(BUILD)/obj/hdmabuf.o
	$(Q)$(OBJCOPY) -w -G 'hdmabuf_*' $(BUILD)/obj/hdmabuf.o
	$(Q)$(AR) rcs $@ $(BUILD)/obj/hdmabuf.o

$(SHARED_LIB): $(call objects,$(LIB_SRC)) lib/libhdmabuf.map $(OBJECTS_STAMP)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -shared -Wl,-soname,$(@F) \
		-Wl,--version-script=lib/libhdmabuf.map $(NO_UNDEFINED) \
		$(LINK_FLAGS) $(LDFLAGS) $(filter %.o,$^) $(LIB_LIBS) -o $@

$(DEV_LINK): $(SHARED_LIB)
	@ln -sf $(<F) $@

link_program = $(CC) $(CFLAGS) -pie $(LINK_FLAGS) $(LDFLAGS) $(filter %.o,$^) \
	-Wl,--start-group $(filter %.a,$^) -Wl,--end-group

$(PEERS): $(BUILD)/bin/hdmabuf-%: $(BUILD)/obj/libreference-%.a \
		$(call archive,reference-common) $(STATIC_LIB)
$(SUITE): $(call archive,conformance) $(STATIC_LIB)
$(XEN_TOOL): $(call archive,tools) $(call archive,reference-common)
$(PROGRAMS):
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(OPTIONAL_LIBS) -o $@

# A test may use what stands beside it: only the programs' folders differ.
define test_rule
$(BUILD)/tests/$(notdir $(1:.c=)): $(call objects,$(1)) \
	$(if $(filter reference-% conformance/% tools/%,$(1)),$(call archive,$(firstword $(subst /, ,$(1)))))
endef
$(foreach test,$(TEST_SRC),$(eval $(call test_rule,$(test))))

# Memory is refused to the library, not to the C library or the harness.
LDFLAGS_session_memory_test := \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray
# Those of tests/calls.c.
FAILING := malloc calloc realloc reallocarray strdup \
	mmap64 memfd_create ftruncate64 socket bind listen connect accept4 getsockopt \
	sendmsg recvmsg eventfd epoll_create1 epoll_ctl epoll_wait ppoll timerfd_create \
	pipe2 getrandom read write fstat fstat64 flock fopen fdopen fread fwrite fflush \
	fclose fseek rename open open64 fcntl64 socketpair __ppoll_chk poll link access stat \
	lstat lstat64 fstatfs64 readlink lseek lseek64 fdopendir getrlimit64 syscall
FAILING_CALLS := $(addprefix -Wl$(comma)--wrap=,$(FAILING))
LDFLAGS_peer_failures_test := $(FAILING_CALLS) -Wl,--wrap=privileges_drop
# The Xen that is not there makes the same calls, and is spared.
SPARED_XEN := $(BUILD)/obj/tests/fake_xen_spared.o
$(SPARED_XEN): $(BUILD)/obj/tests/fake_xen.o
	$(Q)$(OBJCOPY) $(foreach call,$(FAILING),--redefine-sym $(call)=__real_$(call)) $< $@
$(BUILD)/tests/xen_failures_test: $(SPARED_XEN)
LDFLAGS_xen_failures_test := $(FAILING_CALLS)
# Something happens just before it.
LDFLAGS_session_wait_test := -Wl,--wrap=hdmabuf_cell_arm
# Nobody wants to wait until an end tries again.
LDFLAGS_kills_test := -Wl,--wrap=timer_now,--wrap=timer_set
# Valgrind gives up on the debugging information of a newer clang.
LDFLAGS_double_fetch_test := -Wl,--strip-debug

$(TESTS): $(call archive,reference-common) $(call archive,tests) $(WHOLE_LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(LDFLAGS_$(@F)) $(CMOCKA_LIBS) $(OPTIONAL_LIBS) -o $@

# Fuzz targets: with FUZZER=1 a fuzzer's main() calls them, else one that replays files.
# They are linked with no more than they are about, as they are built for several fuzzers.
FUZZ_PROGRAMS := $(patsubst assurance/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_SRC))
FUZZ_WHOLE    := $(addprefix $(BUILD)/fuzz/,local session)
FUZZ_PICTURES := $(addprefix $(BUILD)/fuzz/,png y4m)
$(FUZZ_PROGRAMS): $(BUILD)/fuzz/%: $(BUILD)/obj/assurance/fuzz/%.o \
		$(if $(FUZZER),,$(BUILD)/obj/assurance/fuzz/common/replay.o)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(if $(FUZZER),-fsanitize=fuzzer) $(LDFLAGS_fuzz_$(@F)) \
		$(OPTIONAL_LIBS) -o $@

$(filter-out $(FUZZ_WHOLE) $(FUZZ_PICTURES),$(FUZZ_PROGRAMS)): $(call objects,$(CORE_SRC))
$(FUZZ_WHOLE): $(WHOLE_LIB)
$(FUZZ_PICTURES): $(patsubst %,$(BUILD)/obj/reference-common/%.o,source source_pattern \
		source_png source_y4m y4m picture parse fail crc32)
$(BUILD)/fuzz/session: $(BUILD)/obj/assurance/fuzz/common/hostile.o
$(BUILD)/fuzz/trace: $(call objects,conformance/checker/trace_reader.c conformance/model/wire.c)

# Time and randomness are the script's.
LDFLAGS_fuzz_session := \
	$(foreach name,now_ms random_octets random_epoch,-Wl,--wrap=$(name))

-include $(patsubst %.o,%.d,$(call objects,$(SRC)))

# ---- bench ------------------------------------------------------------------

SEEDED  := $(BUILD)/obj/bench/seeded
COUNTED := $(call objects,bench/instructions.c bench/paths.c bench/measure.c)
COUNTED_RINGS := $(addsuffix _instructions,format0 format1 chosen_format0)
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,bench instructions instructions-seeded \
		$(if $(XEN),xen_instructions))
$(BUILD)/bench/bench: $(call objects,$(filter-out %instructions.c,$(BENCH_SRC)))
$(BUILD)/bench/instructions: $(call objects,$(COUNTED_RINGS:%=bench/%.c)) $(COUNTED)
$(BUILD)/bench/xen_instructions: $(call objects,bench/xen_instructions.c bench/measure.c)
$(BUILD)/bench/instructions-seeded: $(COUNTED_RINGS:%=$(SEEDED)/%.o) $(COUNTED)
$(BENCH_PROGRAMS): $(WHOLE_LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(OPTIONAL_LIBS) -o $@

# What is counted says what it was compiled with.
$(call objects,$(BENCH_SRC)) $(COUNTED_RINGS:%=$(SEEDED)/%.o): KIND_FLAGS = $(PROGRAM_FLAGS) \
		-DHDMABUF_BENCH_FLAGS='"$(CFLAGS)"'

# A ring that copies each message twice: so much more has to be noticed.
$(SEEDED)/hdmabuf/ring.h: include/hdmabuf/ring.h bench/seeded.sed
	@mkdir -p $(@D)
	$(Q)sed -f bench/seeded.sed $< >$@
	$(Q)! cmp -s $< $@
$(SEEDED)/%.o: bench/%.c bench/ring_instructions.h $(SEEDED)/hdmabuf/ring.h $(FLAGS_STAMP)
	$(call say,CC,$@)
	$(Q)$(CC) -I$(SEEDED) $(compile_flags) $< -o $@

# A table, and $(BUILD)/bench.json; docs/benchmark.rst says what it means.
.PHONY: bench bench-quick bench-programs
bench: ## measure everything against what it is held against, within ten minutes
	@scripts/bootstrap bench
	@$(MAKE) bench-programs
	@bench/run

bench-quick: ## the same within a minute: fewer rounds, nothing large
	@scripts/bootstrap bench
	@$(MAKE) bench-programs
	@bench/run --quick

bench-programs: $(BENCH_PROGRAMS)

.PHONY: instructions
instructions: $(BUILD)/bench/instructions ## record anew how many instructions the hot paths take
	@bench/check-instructions --update

# ---- demo -------------------------------------------------------------------

.PHONY: demo
demo: ## share pictures between two processes; INPUT=FILE shares your PNG or Y4M
	@scripts/bootstrap demo
	@$(MAKE) all
	@scripts/demo

# ---- check ------------------------------------------------------------------

# Sessions once more, over a Xen that is not there.
XEN_CHECK = $(if $(XEN),HDMABUF_TEST_PLATFORM=xen scripts/run-tests -o $(BUILD)/log/xen \
	$(foreach name,buffer callback end establish import limits matrix timeline, \
		$(BUILD)/tests/session_$(name)_test), \
	echo "libxen-dev is not installed: nothing of Xen is built"; exit 77)

# A test that hangs takes longer than one on a busy machine.
export HDMABUF_TEST_SECONDS ?= 60

# Each is one entry of the report; status 77 or 69 means skipped.
CHECKS = header='scripts/check-header --quick' \
	 install='$(MAKE) check-install' \
	 freestanding='$(MAKE) check-freestanding' \
	 format='scripts/check-format' \
	 xen='$(XEN_CHECK)' \
	 docs='scripts/make-docs --check' \
	 docs-check='scripts/docs/make_docs_check.py' \
	 mutants='scripts/mutants --check' \
	 instructions='bench/check-instructions' \
	 clauses='scripts/make-clauses --check && scripts/check-clauses' \
	 conformance='scripts/conformance reference-backend reference-frontend \
		reference-backend-format-1 reference-frontend-format-1'

.PHONY: check check-all check-tests check-sanitize check-threads check-header \
	check-header-quick check-format tests
check: ## everything that must hold before a commit, in one report
	@scripts/bootstrap check
	@$(MAKE) check-all WERROR=1

# What the fuzzers have found once.
CORPUS_CHECK := fuzz='assurance/run-fuzz --replay'

check-all: all tests fuzz-programs $(BENCH_PROGRAMS)
	@scripts/run-tests -o $(BUILD)/log $(TESTS) $(TEST_SCRIPTS) $(CORPUS_CHECK) $(CHECKS)

check-tests: all tests fuzz-programs $(BENCH_PROGRAMS) ## the unit tests and test scripts alone
	@scripts/run-tests -o $(BUILD)/log $(TESTS) $(TEST_SCRIPTS) $(CORPUS_CHECK)

check-sanitize: ## the tests with address and undefined-behaviour sanitizers
	@scripts/bootstrap check
	@UBSAN_OPTIONS=print_stacktrace=1:$$UBSAN_OPTIONS \
	$(MAKE) check-tests WERROR=1 SANITIZE=1 BUILD=$(BUILD)/sanitize

# Where addresses are random to too many bits, ThreadSanitizer does not start.
THREADS_FLAGS = -include tests/visible_copies.h -fno-builtin-memcpy
STILL = $(shell setarch -R true 2>/dev/null && echo setarch -R)
THREADS_TEST := $(BUILD)/threads/tests/threads_test

check-threads: ## both ends as threads, with ThreadSanitizer
	@scripts/bootstrap check
	@$(MAKE) WERROR=1 SANITIZE=thread BUILD=$(BUILD)/threads \
		CPPFLAGS='$(THREADS_FLAGS)' $(THREADS_TEST)
	@HDMABUF_TEST_SECONDS=300 $(STILL) scripts/run-tests -o $(BUILD)/threads/log $(THREADS_TEST)

check-header: ## the header in every language, compiler and machine there is
	@scripts/check-header

check-header-quick:
	@scripts/check-header --quick

check-format: ## the style of the C sources
	@scripts/check-format

# Programs that only the lab's scenarios need: each is one file.
LAB_LIBS     := $(if $(LAB_SRC),$(shell $(PKG_CONFIG) --libs xenvchan))
LAB_PROGRAMS := $(patsubst lab/programs/%.c,$(BUILD)/lab-bin/%,$(LAB_SRC))
$(LAB_PROGRAMS): $(BUILD)/lab-bin/%: $(BUILD)/obj/lab/programs/%.o \
		$(call archive,reference-common) $(WHOLE_LIB)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(link_program) $(OPTIONAL_LIBS) $(LAB_LIBS) -o $@

# Nobody has a display in the lab, and SDL is most of what a program would load.
LAB_BUILD = BUILD='$(BUILD)/xen' WITHOUT='sdl2 $(WITHOUT)'

.PHONY: check-xen xen-shell lab-programs
check-xen: ## on a real Xen, emulated: all scenarios of the lab, or SCENARIO="NAME..."
	@scripts/bootstrap xen
	@$(MAKE) $(LAB_BUILD) all lab-programs WERROR=1
	@$(LAB_BUILD) lab/xen run $(SCENARIO)

xen-shell: ## the shell of domain 0 of that Xen, with GUESTS=N guests
	@scripts/bootstrap xen
	@$(MAKE) $(LAB_BUILD) all lab-programs
	@$(LAB_BUILD) lab/xen shell --guests $(or $(GUESTS),1)

lab-programs: $(LAB_PROGRAMS)

.PHONY: mutants
mutants: ## that the conformance suite finds what is wrong with each mutant
	@scripts/bootstrap check
	@$(MAKE) all
	@timeout -k 10 900 scripts/mutants

.PHONY: assurance
assurance: ## all of the evidence, and a table at the end; ROWS="NAME..." for some of it
	@scripts/bootstrap check assurance
	@$(MAKE) all tests
	@assurance/table $(ROWS)

.PHONY: soak soak-library soak-programs
soak: soak-library soak-programs ## either end killed at random, KILLS=n times, with SEED=n
soak-library:
	@scripts/bootstrap check
	@$(MAKE) $(BUILD)/tests/kills_test
	@$(BUILD)/tests/kills_test --soak $(or $(KILLS),500) $(SEED)

soak-programs:
	@scripts/bootstrap check
	@$(MAKE) $(PEERS)
	@BUILD=$(BUILD) tests/peers_kills_test.py --soak $(or $(KILLS),500) $(SEED)

.PHONY: load
load: ## 1,000 sessions, 100,000 buffers, a day's hand-offs, bad neighbours
	@scripts/bootstrap check
	@$(MAKE) $(BUILD)/tests/load_test
	@$(BUILD)/tests/load_test --full

.PHONY: coverage
COVERAGE_FLAGS := -O1 -g1 -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc
PROFILED_EXIT  := $(BUILD)/coverage/profiled_exit.o
# Tests of what is measured.
COVERING := $(patsubst %.c,$(BUILD)/coverage/tests/%,$(notdir \
	$(filter lib/% reference-% tools/%,$(TEST_SRC))))
coverage: ## that the tests take all branches of lib/core, and most of the rest
	@scripts/bootstrap check assurance
	@command -v clang-19 >/dev/null || { echo 'clang-19 is not installed'; exit 69; }
	@mkdir -p $(BUILD)/coverage
	@clang-19 -O1 -fPIC -c assurance/profiled_exit.c -o $(PROFILED_EXIT)
	@$(MAKE) BUILD=$(BUILD)/coverage CC=clang-19 CFLAGS='$(COVERAGE_FLAGS)' \
		LDFLAGS='-Wl,--wrap=_exit $(PROFILED_EXIT)' all $(COVERING)
	@assurance/coverage $(BUILD)/coverage

.PHONY: models
models: ## that the protocol keeps its promises in all states of its models
	@scripts/bootstrap assurance
	@assurance/run-models

.PHONY: proof
proof: ## that what decodes in lib/core has no run-time error, whatever it reads
	@scripts/bootstrap assurance
	@assurance/run-proofs

.PHONY: mutation
mutation: ## that the tests of lib/core notice mutants of it; SAMPLE=8 for one of eight
	@scripts/bootstrap check assurance
	@assurance/run-mutation --sample $(or $(SAMPLE),1)

.PHONY: fuzz fuzz-faults fuzz-programs
fuzz: ## all fuzz targets, SECONDS=600 altogether, or TARGETS="codec ring"
	@scripts/bootstrap assurance
	@assurance/run-fuzz --seconds $(or $(SECONDS),600) $(TARGETS)

fuzz-faults: ## that the fuzz targets find what is wrong: seeded faults
	@scripts/bootstrap assurance
	@assurance/run-fuzz --faults $(TARGETS)

fuzz-programs: $(FUZZ_PROGRAMS)

tests: $(TESTS)

# A header of lib/core that only a C library has must not be found; a kernel has
# neither floating point nor helpers for 64-bit division on 32 bits.
FREESTANDING_CC ?= $(wildcard $(addprefix /usr/bin/,clang \
		$(foreach cpu,i686 aarch64 s390x powerpc,$(cpu)-linux-gnu-gcc) \
		arm-linux-gnueabihf-gcc))
FREESTANDING_FLAGS := -std=gnu11 $(WARNINGS) -Werror -O2 -ffreestanding \
	-nostdlib -nostdinc -fno-stack-protector -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -fno-pic -fno-pie -Iprotocol -Iinclude -I.
FREESTANDING_MAY := memcpy|memmove|memset|memcmp|__aeabi_u?idiv(mod)?

.PHONY: check-freestanding
check-freestanding: ## lib/core needs no libc and no FPU, and keeps no variables
	@mkdir -p $(BUILD)/freestanding
	@set -e; for cc in '$(CC)' $(if $(CORE_SRC),$(FREESTANDING_CC)); do \
		unit=$(BUILD)/freestanding/$$(basename "$${cc##* }").o; \
		integer=-mgeneral-regs-only; \
		$$cc $$integer -E -x c /dev/null >/dev/null 2>&1 || integer=; \
		$$cc $(FREESTANDING_FLAGS) $$integer -r -o $$unit $(CORE_SRC) \
			-isystem "$$($$cc -print-file-name=include)"; \
		needs=$$($(NM) -u $$unit | awk '{ print $$2 }' | \
			grep -Evx '$(FREESTANDING_MAY)') || true; \
		keeps=$$($(NM) $$unit | awk '$$2 ~ /[bBcCdDsS]/ { print $$3 }'); \
		[ -z "$$needs" ] || echo "$$cc: lib/core needs" $$needs; \
		[ -z "$$keeps" ] || echo "$$cc: lib/core has variables:" $$keeps; \
		[ -z "$$needs$$keeps" ]; \
		echo "$$cc: lib/core stands alone"; \
	done

.PHONY: conformance
conformance: ## the conformance suite against both programs, over both ring formats, and the Python peer
	@scripts/bootstrap check
	@$(MAKE) all
	@scripts/conformance

# ---- install ----------------------------------------------------------------

PROTOCOL_DIR := $(INCLUDEDIR)/hdmabuf-protocol
INSTALLED = $(addprefix $(BINDIR)/,$(notdir $(PROGRAMS))) \
	$(addprefix $(LIBDIR)/,$(notdir $(STATIC_LIB) $(SHARED_LIB) $(DEV_LINK))) \
	$(LIBDIR)/pkgconfig/hdmabuf.pc $(DATADIR)/pkgconfig/hdmabuf-protocol.pc \
	$(PUBLIC_H:include/%=$(INCLUDEDIR)/%) \
	$(patsubst protocol/%,$(PROTOCOL_DIR)/%,$(PROTOCOL_H) $(BINDINGS_H))
install_files = $(if $(2),$(INSTALL) -m $(1) $(2) '$(DESTDIR)$(3)')
install_pc = sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' \
	-e 's|@LIBS_PRIVATE@|$(strip $(STATIC_LIBS))|' \
	-e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
	-e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|'

.PHONY: install uninstall check-install
install: all ## install to DESTDIR, below PREFIX (LIBDIR, INCLUDEDIR, BINDIR)
	$(Q)$(INSTALL) -d $(addprefix '$(DESTDIR)',$(sort $(dir $(INSTALLED))))
	$(Q)$(call install_files,755,$(PROGRAMS),$(BINDIR))
	$(Q)$(call install_files,755,$(SHARED_LIB),$(LIBDIR))
	$(Q)$(call install_files,644,$(STATIC_LIB),$(LIBDIR))
	$(Q)$(call install_files,644,$(PUBLIC_H),$(INCLUDEDIR)/hdmabuf)
	$(Q)$(call install_files,644,$(PROTOCOL_H),$(PROTOCOL_DIR))
	$(Q)$(call install_files,644,$(BINDINGS_H),$(PROTOCOL_DIR)/bindings)
	$(Q)ln -sf $(notdir $(SHARED_LIB)) '$(DESTDIR)$(LIBDIR)/$(notdir $(DEV_LINK))'
	$(Q)$(install_pc) lib/hdmabuf.pc.in >'$(DESTDIR)$(LIBDIR)/pkgconfig/hdmabuf.pc'
	$(Q)$(install_pc) protocol/hdmabuf-protocol.pc.in \
		>'$(DESTDIR)$(DATADIR)/pkgconfig/hdmabuf-protocol.pc'

uninstall: ## remove what install installed
	$(Q)rm -f $(addprefix '$(DESTDIR)',$(INSTALLED))
	$(Q)for dir in '$(PROTOCOL_DIR)/bindings' '$(PROTOCOL_DIR)' '$(INCLUDEDIR)/hdmabuf'; do \
		[ ! -d '$(DESTDIR)'"$$dir" ] || \
		rmdir --ignore-fail-on-non-empty '$(DESTDIR)'"$$dir"; done

# The consumer of the library names every symbol that is exported: each must be
# declared in a public header, and be there to link with.
CONSUMER  := $(BUILD)/consumer
STAGE     := $(abspath $(CONSUMER))/root
STAGED_PC  = PKG_CONFIG_SYSROOT_DIR='$(STAGE)' \
	PKG_CONFIG_LIBDIR='$(STAGE)$(LIBDIR)/pkgconfig:$(STAGE)$(DATADIR)/pkgconfig' \
	$(PKG_CONFIG)
consume    = $(CC) -std=gnu11 $(WARNINGS) -Werror

check-install: all ## install, build against it, run, uninstall
	@rm -rf $(CONSUMER) && mkdir -p $(CONSUMER)
	@$(MAKE) install DESTDIR='$(STAGE)'
	@{ printf '#include <%s>\n' $(patsubst protocol/%,%,$(PROTOCOL_H) $(BINDINGS_H)); \
	   echo 'int main(void) { return 0; }'; } >$(CONSUMER)/protocol.c
	@{ printf '#include <%s>\n' $(PUBLIC_H:include/%=%); \
	   echo 'static void (*const exported[])(void) = {'; \
	   $(NM) -D --defined-only $(SHARED_LIB) | \
		sed -n 's/.* T \(hdmabuf_[^@]*\)@@.*/(void (*)(void))\1,/p'; \
	   echo '};'; \
	   echo 'int main(int argc, char **argv)'; \
	   echo '{ return !(argv[0] && exported[argc - 1]); }'; } >$(CONSUMER)/library.c
	$(consume) $(CONSUMER)/protocol.c -o $(CONSUMER)/protocol \
		$$($(STAGED_PC) --cflags --libs hdmabuf-protocol)
	$(consume) $(CONSUMER)/library.c -o $(CONSUMER)/shared \
		$$($(STAGED_PC) --cflags --libs hdmabuf)
	$(consume) $(CONSUMER)/library.c -static -o $(CONSUMER)/static \
		$$($(STAGED_PC) --static --cflags --libs hdmabuf)
	$(CONSUMER)/protocol
	LD_LIBRARY_PATH='$(STAGE)$(LIBDIR)' $(CONSUMER)/shared
	$(NM) -u $(CONSUMER)/shared | grep -q ' hdmabuf_'
	$(CONSUMER)/static
	@$(MAKE) uninstall DESTDIR='$(STAGE)'
	@left=$$(find '$(STAGE)' ! -type d -o -name '*hdmabuf*'); \
	[ -z "$$left" ] || { echo "uninstall left $$left"; exit 1; }

# ---- documentation, releases ------------------------------------------------

.PHONY: docs docs-check dist clean help FORCE
docs: ## the documentation as HTML, and the rst that is made from the header
	@scripts/bootstrap docs
	@scripts/make-docs

docs-check: ## fails if the committed rst is older than the header
	@scripts/make-docs --check

DIST := hdmabuf-$(VERSION)
dist: ## a source archive of the last commit
	@mkdir -p $(BUILD)
	git archive --prefix=$(DIST)/ HEAD | gzip -n >$(BUILD)/$(DIST).tar.gz

clean: ## remove everything that was built
	rm -rf $(BUILD)

help: ## this list
	@echo 'make TARGET [VARIABLE=VALUE]...'
	@echo
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-20s%s\n", $$1, $$2 }' Makefile
	@echo
	@printf '  %-20s%s\n' \
		'V=1' 'show the commands' \
		'BUILD=DIR' 'build there, not in build' \
		'CFLAGS=-O3' 'optimise otherwise (objects are rebuilt by themselves)' \
		'WERROR=1' 'warnings are errors' \
		'SANITIZE=1' 'with sanitizers; or name them: SANITIZE=thread' \
		'WITHOUT="sdl2"' 'ignore optional libraries: $(OPTIONAL)'
