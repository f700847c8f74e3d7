# SPDX-License-Identifier: MIT
# What a scenario can use: a shell script that runs in domain 0 of the lab.
#
#	create guest1 [LINE...]     boots a guest, with these lines in its configuration
#	destroy guest1              as xl destroy does
#	domid guest1                prints its number; that of dom0 is 0
#
#	attach guest1 dom0 [D]      makes device D (0) of ours: frontend, backend
#	detach guest1 [D]
#
#	on guest1 COMMAND           runs it there; its output, its exit status
#	start NAME guest1 COMMAND   the same, meanwhile
#	output NAME                 what it has written until now
#	says NAME PATTERN           whether a line of that fits
#	has_ended NAME              whether it has; sets status
#	wait_for NAME PATTERN [S]   until a line of that fits; fails after S (30) seconds
#	finish NAME [S]             until it has ended: its exit status; 124 after S (60)
#	kill_it NAME [SIGNAL]       SIGKILL by default
#
#	await_backend CLASS guest1 STATE    until the backend of device 0 of a class of Xen's
#	                            own, in dom0, is in that state; fails after a while
#
#	holdings DOMAIN...          prints a line for each: how many pages its programs share,
#	                            mappings of its pages, its event channels, its nodes in
#	                            XenStore
#	hold_as_before BEFORE DOMAIN...     until they are what they were; fails after a while
#	check_holdings BEFORE DOMAIN...     a test of that
#	possessions PROGRAM DOMAIN  prints how many descriptors, mappings of Xen's, threads,
#	                            children and KiB of memory a program there has
#	commands FRONTEND BACKEND EXPORTER OPTIONS      sets front_command and back_command: our
#	                            programs in these domains, the exporter (frontend or
#	                            backend) with these options
#
#	check TEXT COMMAND...       a test: it passes if the command succeeds
#	skip TEXT REASON            a test that cannot be made
#	suite NAME frontend guest1 COMMAND [OPTION]...
#	                            the conformance suite in dom0, meanwhile: COMMAND is what
#	                            it tests, a frontend in guest1
#	suite_result NAME [S]       each of its tests is one of ours, with the reason why it
#	                            failed; until it has ended
#	scenario TEXT               what the following is about
#	note TEXT                   a line for the report
#
# DOMAIN is dom0, guest1, guest2, ...; a guest that does not exist is created with the
# first command for it. Programs are in /lab/bin, which is in PATH.

run=/run/lab
mkdir -p $run
. /lab/settings

note()
{
	echo "$*" | sed 's/^/# /' | tee -a /lab/report.$machine
}

# ---- domains ----------------------------------------------------------------

# From a file, as xl takes a second to start.
domid()
{
	if [ "$1" = dom0 ]; then
		echo 0
	else
		cat "$run/$1.domid" 2>/dev/null
	fi
}

console_of()
{
	echo "/lab/consoles/$machine/guest-$1.log"
}

configure()
{
	local name=$1
	shift
	cat <<-X
		name = "$name"
		type = "pv"
		kernel = "$run/vmlinux"
		ramdisk = "$run/guest.img"
		extra = "console=hvc0 quiet loglevel=3 panic=5"
		memory = $memory
		vcpus = 1
		on_crash = "preserve"
	X
	echo "$config"
	for line; do
		echo "$line"
	done
}

# xl maps these files, and would fetch them from /lab page by page.
get_images()
{
	local file
	for file in vmlinux guest.img; do
		[ $run/$file -nt /lab/$file ] || cp /lab/$file $run/$file
	done
}

create()
{
	local name=$1 number wait=0
	get_images
	configure "$@" >"$run/$name.cfg"
	xl create -q "$run/$name.cfg" >"$run/$name.create" 2>&1 || {
		note "$name is not created: $(tail -n 1 "$run/$name.create")"
		return 1
	}
	number=$(xl domid "$name")
	echo "$number" >"$run/$name.domid"
	until grep -q "^@ready $number" "$(console_of "$name")" 2>/dev/null; do
		wait=$((wait + 1))
		[ $wait -lt 300 ] || {
			note "$name does not come up"
			return 1
		}
		sleep 0.3
	done
}

need()
{
	[ "$1" = dom0 ] || [ -e "$run/$1.domid" ] || create "$1"
}

# What was running in it has no status of its own.
destroy()
{
	local file status
	xl destroy "$1" || return
	rm "$run/$1.domid"
	for file in $(grep -lx "$1" $run/*.domain 2>/dev/null); do
		file=${file%.domain}
		has_ended "${file##*/}" || echo 137 >"$file.status"
	done
}

attach()
{
	need "$1" && need "$2" &&
		hdmabuf-xen attach --device "${3:-0}" "$(domid "$1")" "$(domid "$2")" >/dev/null
}

detach()
{
	hdmabuf-xen detach --device "${2:-0}" "$(domid "$1")" >/dev/null
}

# ---- commands ---------------------------------------------------------------

# Of each command NAME there are NAME.domain, NAME.number, and for dom0 NAME.out, NAME.pid;
# NAME.status for dom0, and where a guest can't tell it. The numbers of commands are unique,
# so that consoles tell them apart.
next_number()
{
	local number
	number=$(cat $run/number 2>/dev/null)
	echo $((${number:-0} + 1)) >$run/number
	cat $run/number
}

start_here()
{
	local name=$1
	(
		setsid sh -c "echo \$\$ >$run/$name.pid; $2" </dev/null >"$run/$name.out" 2>&1
		echo $? >"$run/$name.status"
	) &
}

start()
{
	local name=$1 domain=$2 number
	number=$(next_number)
	rm -f "$run/$name.status"
	echo "$domain" >"$run/$name.domain"
	echo "$number" >"$run/$name.number"
	need "$domain" || {
		echo 125 >"$run/$name.status"
		return 1
	}
	if [ "$domain" = dom0 ]; then
		start_here "$name" "$3"
	else
		xenstore-write "/local/domain/$(domid "$domain")/lab/run/$number" \
			"echo \$\$ >/run/$number.pid; $3"
	fi
}

# Sets domain, number and file: where a command runs, and where its output is. Without
# another process, for whoever waits does it often, and each costs much under emulation.
look_up()
{
	domain= number= file=
	read -r domain <"$run/$1.domain" && read -r number <"$run/$1.number" || return
	if [ "$domain" = dom0 ]; then
		file=$run/$1.out
	else
		file=$(console_of "$domain")
	fi 2>/dev/null
}

output()
{
	local domain number file
	look_up "$1" || return
	if [ "$domain" = dom0 ]; then
		cat "$file"
	else
		sed -n "s/^@$number\.//p" "$file" | tr -d '\r'
	fi
}

# Sets status; fails if the command has not ended.
has_ended()
{
	local domain number file
	look_up "$1" || return
	if [ -e "$run/$1.status" ]; then
		read -r status <"$run/$1.status"
	elif [ "$domain" != dom0 ] && grep -q "^@$number=" "$file"; then
		status=$(sed -n "s/^@$number=\([0-9]*\).*/\1/p" "$file")
	else
		return 1
	fi
}

says()
{
	local domain number file pattern=$2
	look_up "$1" || return
	[ "$domain" = dom0 ] || pattern="^@$number\..*$pattern"
	grep -qE "$pattern" "$file" 2>/dev/null
}

wait_for()
{
	local turns=$((${3:-30} * 5)) status
	until says "$1" "$2"; do
		turns=$((turns - 1))
		if [ $turns -le 0 ] || has_ended "$1"; then
			says "$1" "$2" && return
			note "$1 does not say '$2', but: $(output "$1" | tail -n 3)"
			return 1
		fi
		sleep 0.2
	done
}

finish()
{
	local turns=$((${2:-60} * 5)) status
	until has_ended "$1"; do
		turns=$((turns - 1))
		if [ $turns -le 0 ]; then
			note "$1 does not end: $(output "$1" | tail -n 3)"
			kill_it "$1"
			return 124
		fi
		sleep 0.2
	done
	forget "$1"
	return "$status"
}

# What has ended leaves nothing in XenStore.
forget()
{
	local domain number file
	look_up "$1" && [ "$domain" != dom0 ] &&
		xenstore-rm "/local/domain/$(domid "$domain")/lab/run/$number" 2>/dev/null
}

on()
{
	local status
	start on "$1" "$2" || return
	finish on "${3:-60}"
	status=$?
	output on
	return $status
}

kill_it()
{
	local signal=${2:-KILL} domain number file
	look_up "$1" || return 0
	if [ "$domain" = dom0 ]; then
		kill "-$signal" "-$(cat "$run/$1.pid")" 2>/dev/null
	else
		start "$1.kill" "$domain" "kill -$signal -\$(cat /run/$number.pid)"
		finish "$1.kill" 20
	fi
	return 0
}

# For scenarios that are made of commands only: the next one that has not been told.
finish_and_tell()
{
	local name status
	told=$((${told:-0} + 1))
	for name in "$run/$told".*.number; do
		name=${name%.number}
		name=${name##*/}
		finish "$name" "${limit:-600}"
		status=$?
		output "$name" | while IFS= read -r line; do
			note "$name: $line"
		done
		check "$name exits with $status" [ $status = 0 ]
	done
}

# ---- what a domain holds -------------------------------------------------------------

# Of XenStore, nodes that have a value: the toolstack leaves directories without.
#
# The hypervisor lists each grant that is mapped; those of its console and of XenStore are
# among them.
mappings()
{
	xl dmesg -c >/dev/null
	xl debug-keys g
	xl dmesg | sed -n "/grant-table for remote d$1 /,/ active --/p" | grep -c '\[0x'
}

holdings()
{
	local domain number
	for domain; do
		number=$(domid "$domain")
		echo "$domain: shared $(on "$domain" 'shared_pages 2>/dev/null')" \
			"mapped $(mappings "$number")" \
			"channels $(lsevtchn "$number" | grep -c Interdomain)" \
			"nodes $(xenstore-ls "/local/domain/$number" | grep -vc ' = ""')"
	done
}

# The other end may be about to notice.
hold_as_before()
{
	local before=$1 after turns=20
	shift
	after=$(holdings "$@")
	while [ "$before" != "$after" ] && [ $turns -gt 0 ]; do
		sleep 0.5
		turns=$((turns - 1))
		after=$(holdings "$@")
	done
	[ "$before" = "$after" ] || {
		note "before: $before"
		note "after: $after"
		return 1
	}
}

check_holdings()
{
	local before=$1
	shift
	check "$* hold what they held before" hold_as_before "$before" "$@"
}

# ---- our programs --------------------------------------------------------------------

commands()
{
	local to='--sink null' from=$4
	front_command='hdmabuf-frontend --platform xen:0 --verify'
	back_command="hdmabuf-backend --platform xen:$(domid "$1") --verify"
	if [ "$3" = frontend ]; then
		front_command="$front_command $from"
		back_command="$back_command $to"
	else
		front_command="$front_command --export-from backend $to"
		back_command="$back_command --export-from backend $from"
	fi
}

possessions()
{
	on "$2" "pid=\$(pidof $1) && cd /proc/\$pid && echo \$(ls fd | wc -l) \
\$(grep -c /dev/xen/ maps) \$(ls task | wc -l) \$(wc -w <task/\$pid/children) \
\$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' status)"
}

# ---- devices of Xen's own classes --------------------------------------------

await_backend()
{
	local node turns=150
	node=/local/domain/0/backend/$1/$(domid "$2")/0/state
	until [ "$(xenstore-read "$node")" = "$3" ]; do
		turns=$((turns - 1))
		[ $turns -gt 0 ] || {
			note "$node is $(xenstore-read "$node"), not $3"
			return 1
		}
		sleep 0.1
	done
}

# ---- the report -------------------------------------------------------------

scenario()
{
	topic=$1
	note "$1"
}

tell()
{
	echo $(($(cat $run/tests 2>/dev/null || echo 0) + 1)) >$run/tests
	echo "$1 $(cat $run/tests) - ${topic:+$topic: }$2" | tee -a /lab/report.$machine
}

check()
{
	local text=$1
	shift
	if "$@"; then
		tell ok "$text"
	else
		tell 'not ok' "$text"
		return 1
	fi
}

skip()
{
	tell ok "$1 # SKIP $2"
}

# ---- the conformance suite --------------------------------------------------

# Devices that it meets a backend with: some tests take so many ends.
suite_devices='0 1 2'

# How the suite, and what it tests, get at the devices of DOMAIN; how these go.
suite_endpoints()
{
	local device
	if [ "$1" = frontend ]; then
		attach "$2" dom0
		attached="--attach xen:$(domid "$2")/0"
		endpoint=xen:0
		detaching="detach $2"
		return
	fi
	attached=
	endpoint=xen:
	detaching=:
	for device in $suite_devices; do
		attach dom0 "$2" "$device"
		attached="$attached --attach xen:$device"
		detaching="$detaching; detach dom0 $device"
	done
}

# A relay for each, so that the suite can start COMMAND in DOMAIN, talk to it and kill it.
suite()
{
	local name=$1 role=$2 domain=$3 command=$4 attached endpoint detaching
	shift 4
	suite_endpoints "$role" "$domain"
	echo "$detaching" >"$run/$name.detach"
	start "$name.relay" "$domain" "relay serve 0 $name"
	echo "exec relay run $(domid "$domain")/$name" \
		"'HDMABUF_ENDPOINT=$endpoint exec $command'" >"$run/$name.iut"
	start "$name" dom0 "hdmabuf-conformance --role $role $attached \
		--iut 'exec sh $run/$name.iut' --patience 10000 --strict --verbose \
		--report text:/lab/reports/$name.txt --report html:/lab/reports/$name.html \
		--report junit:/lab/reports/$name.xml --report tap:/lab/reports/$name.tap $*"
}

suite_result()
{
	local name=$1 status line why=false
	finish "$name" "${2:-600}"
	status=$?
	kill_it "$name.relay"
	. "$run/$name.detach"
	while read -r line; do
		case $line in
		'ok '*) tell ok "$name: ${line#*- }" ;;
		'not ok '*)
			tell 'not ok' "$name: ${line#*- }"
			why=true
			;;
		...) why=false ;;
		*) $why && note "$line" ;;
		esac
	done <"/lab/reports/$name.tap"
	[ $status = 0 ] ||
		tell 'not ok' "$name: the suite exits with $status; see reports/$name.html"
}

# A scenario that went wrong must not disturb the next one.
clean_up()
{
	local file name status
	for file in "$run"/*.number; do
		name=${file##*/}
		name=${name%.number}
		[ -e "$file" ] && ! has_ended "$name" && kill_it "$name"
	done 2>/dev/null
	rm -f "$run"/*.number "$run"/*.domain
}

run_scenarios()
{
	local file number=0
	while [ $number -lt "$guests" ]; do
		number=$((number + 1))
		create "guest$number" || tell 'not ok' "guest$number boots"
	done
	for file in /lab/scenarios/*.sh; do
		# Another machine may have taken it.
		[ -e "$file" ] && mkdir "/lab/claims/$(basename "$file")" 2>/dev/null || continue
		begin=$(cut -d. -f1 /proc/uptime)
		(. "$file"; :) || tell 'not ok' "$(basename "$file") ends with $?"
		clean_up
		note "$(basename "$file" .sh) took $(($(cut -d. -f1 /proc/uptime) - begin)) s"
	done
	note end
}

help()
{
	sed -n '2,/^$/s/^# \?//p' /lab/lib.sh
}
