# SPDX-License-Identifier: MIT
# docs/conformance.rst, In another domain: the suite in domain 0, both reference programs
# in guests. Here are the tests of Xen's binding, of what a platform promises, and some of
# all else; more/conformance.sh has all of them.
scenario 'conformance'

# Tests for which the implementation stays from one to the next.
stays="session.is_established xen.* platform.[a-n]* platform.pages* platform.re*
platform.stores* platform.our_death_is_seen import.data_is_seen
import.pages_that_cannot_be_mapped directories.data_through_tables"
# Those that end it and start it anew.
ends="loss.successor_is_met platform.*_outlives_the_iut xen.remains_of_who_died xen.gone_*"

tests()
{
	local name
	set -f
	for name in $1; do
		printf " --test '%s'" "$name"
	done
	set +f
}

# Both at the same time; their results are told one after the other.
both()
{
	suite "frontend$1" frontend guest1 'hdmabuf-frontend --control' \
		"--statement /lab/statements/reference-frontend.txt $2"
	suite "backend$1" backend guest2 'hdmabuf-backend --control' \
		"--statement /lab/statements/reference-backend.txt $2"
	suite_result "frontend$1"
	suite_result "backend$1"
}

both '' "--keep $(tests "$stays")"
both -anew "$(tests "$ends")"
