#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs a command again and again, and lets it die at its first step, its second, and so on,
# until it has come to its end; then says how many runs there were.
#
#	die_at_each PATTERN COMMAND [ARGUMENT]...
#
# A run only counts as whole if its output has a line that fits PATTERN; one that ended
# because the other end had little left to do is done again.
#
# Exit status: that of the run that was whole, or that failed.
pattern=$1
shift
step=1
runs=0
output=/run/die_at_each.$$
while :; do
	die_at $step "$@" >$output 2>&1
	status=$?
	runs=$((runs + 1))
	if [ $status = 137 ]; then
		step=$((step + 1))
	elif [ $status != 0 ] || grep -q "$pattern" $output; then
		break
	fi
done
cat $output
echo "$runs runs, $step steps"
exit $status
