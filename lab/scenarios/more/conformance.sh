# SPDX-License-Identifier: MIT
# All tests of the conformance suite, in domain 0, on both reference programs in guests,
# which are started anew for each. It takes an hour or so:
#
#	lab/xen run --timeout 14400 more/conformance
scenario 'all of conformance'

for role in frontend backend; do
	[ $role = frontend ] && guest=guest1 || guest=guest2
	suite $role $role $guest "hdmabuf-$role --control" \
		"--statement /lab/statements/reference-$role.txt"
done
suite_result frontend 14000
suite_result backend 14000
