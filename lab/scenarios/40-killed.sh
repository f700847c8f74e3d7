# SPDX-License-Identifier: MIT
# Either peer dies at each step of its life: the other one frees what it may and serves the
# next session, and nothing is left over.

# die FRONTEND BACKEND WHO EXPORTER: WHO (front or back) dies at every step, while the
# other one goes on, and is started again only when it has done all of its work.
die()
{
	local front=$1 back=$2 who=$3 name=$1.$3.$4 front_command back_command
	commands "$front" "$back" "$4" '--source pattern:64x64 --buffers 2 --frames 4'
	case $who in
	front)
		start "$name.survives" "$back" "while :; do $back_command; done"
		start "$name" "$front" "die_at_each ': 4 frames' $front_command"
		;;
	back)
		start "$name.survives" "$front" "while :; do $front_command; done"
		start "$name" "$back" "die_at_each ': 4 frames' $back_command --once"
		;;
	esac
}

# How it went with such a one.
judge()
{
	local name=$1.$3.$4
	check "$3 dies at each step, exporting from the $4, and the last session is whole" \
		finish "$name" 500
	note "$(output "$name" | tail -n 1)"
	kill_it "$name.survives" TERM
	finish "$name.survives"
}

for exporter in frontend backend; do
	scenario "killed, exporting from the $exporter"
	attach guest1 dom0
	attach guest2 guest1
	before=$(holdings dom0 guest1 guest2)
	die guest1 dom0 front $exporter
	die guest2 guest1 back $exporter
	judge guest1 dom0 front $exporter
	judge guest2 guest1 back $exporter
	check_holdings "$before" dom0 guest1 guest2
	detach guest1
	detach guest2
done
