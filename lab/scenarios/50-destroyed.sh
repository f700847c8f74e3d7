# SPDX-License-Identifier: MIT
# A guest is destroyed at steps of its session: whoever shared with it notices, gives back
# what it has of it, and serves the next guest.
#
# Here are some steps. All there are until a session is in its stride, which takes half an hour:
#
#	lab/xen run --timeout 3600 --set "steps=$(seq -s ' ' 60)" 50-destroyed
steps=${steps:-3 10 17 24 31 38 45 52}
picture='--source pattern:256x256 --buffers 2'

no_remains()
{
	local turns=30
	while xl list | grep -q '^(null)'; do
		turns=$((turns - 1))
		[ $turns -gt 0 ] || return
		sleep 0.5
	done
}

# destroy_at STEP OTHER FRONTEND-OR-BACKEND COMMAND: guest1 runs that, and is destroyed
# when it is about to take that step; OTHER is the domain that survives.
destroy_at()
{
	if [ "$3" = frontend ]; then
		attach guest1 "$2"
	else
		attach "$2" guest1
	fi
	start victim guest1 "die_at --stop $1 $4"
	check "guest1 comes to step $1" wait_for victim "at step $1" || return
	destroy guest1
	hdmabuf-xen detach --gone >/dev/null
	check 'nothing is left of it' no_remains
	create guest1
}

# A whole session with a new guest.
serves()
{
	attach guest1 "$1" &&
		on guest1 "hdmabuf-frontend --platform xen:0 $picture --frames 4" >/dev/null &&
		detach guest1
}

scenario 'a guest that is destroyed, with domain 0'
need guest1
before=$(holdings dom0)
start survivor dom0 'hdmabuf-backend --platform xen: --sink null'
for step in $steps; do
	destroy_at $step dom0 frontend "hdmabuf-frontend --platform xen:0 $picture"
done
check 'domain 0 serves the next guest' serves dom0
kill_it survivor TERM
finish survivor
check_holdings "$before" dom0

scenario 'a guest that is destroyed, with domain 0 as exporter'
start survivor dom0 "hdmabuf-frontend --platform xen:0 $picture --frames 0 --rate 25"
for step in $steps; do
	destroy_at $step dom0 backend 'hdmabuf-backend --platform xen:'
done
kill_it survivor TERM
finish survivor
check_holdings "$before" dom0

scenario 'a guest that is destroyed, with another guest'
need guest2
before=$(holdings guest2)
start survivor guest2 'hdmabuf-backend --platform xen: --sink null'
for step in $steps; do
	destroy_at $step guest2 frontend "hdmabuf-frontend --platform xen:0 $picture"
done
check 'the other guest serves the next one' serves guest2
kill_it survivor TERM
finish survivor
check_holdings "$before" guest2
