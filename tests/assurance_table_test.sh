#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The table of `make assurance` says what was kept, broken and not run, and fails if it should.
set -u
cd "$(dirname "$0")/.." || exit 1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
export HDMABUF_ROWS=$folder/rows BUILD=$folder
passed=0 failed=0

check()
{
	local name=$1
	shift
	if "$@"; then
		((++passed))
		echo "ok $((passed + failed)) - assurance_table.$name"
	else
		((++failed))
		echo "not ok $((passed + failed)) - assurance_table.$name"
		sed 's/^/# /' "$folder/out"
	fi
}

# Runs the table; holds its status against the one that is expected.
table()
{
	local expected=$1
	shift
	assurance/table "$@" >"$folder/out" 2>&1
	[[ $? == "$expected" ]]
}

says()
{
	grep -qE -- "$1" "$folder/out"
}

cat >"$HDMABUF_ROWS" <<'END'
# A comment.
good | it holds | echo some words; echo 12 of 12
absent | it would hold | echo there is no tool; exit 77
hidden | it would, too | printf 'all:\n\t@echo none; exit 69\n' | make -f -
END
check kept table 0
check figure says '12 of 12'
check promise says '^good +kept .*it holds'
check absent says '^absent +not run'
check hidden says '^hidden +not run'
check sum says '^1 passed, 0 failed, 2 skipped$'

echo 'bad | it does not hold | echo what is wrong; exit 1' >>"$HDMABUF_ROWS"
check broken table 1
check verdict says '^bad +BROKEN'
check log_is_shown says '^    what is wrong'
check chosen table 0 good
check chosen_alone says '^1 passed, 0 failed, 0 skipped$'
check unknown table 64 nothing
: >"$HDMABUF_ROWS"
check no_rows table 1

echo "$passed passed, $failed failed, 0 skipped"
((failed == 0))
