# SPDX-License-Identifier: MIT
# Either peer is killed at random moments, of its start and while pictures flow, and either
# shares them: the one in guest1 is the frontend, the one in domain 0 the backend. One
# survivor lives through all kills of its kind. After each, it has what it had before and
# nothing else, as have both domains; then another program comes, and the right pictures
# arrive.
#
# Here are a few kills. For more of them, and others, in a machine of its own:
#
#	lab/xen run --timeout 7200 --set kills=200 --set seed=7 41-soak
#
# The seed says when a program is killed and which directory it lists its pages in; how far
# it has got by then, nobody can repeat.
kills=${kills:-4}
seed=${seed:-1}
picture=64x64
pages=4 # of each
buffers=2
frames=8 # that a new session has to show
more=1024 # KiB that the survivor's memory may grow by

random=$seed
done_kills=0
flowing=0

# Sets chance: a number below $1, the next one of the seed's.
throw()
{
	random=$(((random * 1103515245 + 12345) % 2147483648))
	chance=$((random / 65536 * $1 / 32768))
}

# Sets now, in hundredths of a second.
look_at_clock()
{
	read -r now _ </proc/uptime
	now=${now%.*}${now#*.}
}

# What is told of the pictures of this session by the one who gets them.
told()
{
	output "$importer" | tail -n "+$first_line" | grep ': frame'
}

# start_victim [REST]: it lists pages in any way, if it shares them.
start_victim()
{
	local directory=
	first_line=1
	if [ $importer = survivor ]; then
		first_line=$(($(output survivor | wc -l) + 1))
		throw 3
		directory="--directory $(echo list table extents | cut -d' ' -f$((chance + 1)))"
	fi
	start victim "$victim_domain" "$victim_command $directory $1"
}

await_frames()
{
	local turns=300 status
	until [ "$(told | wc -l)" -ge "$1" ]; do
		turns=$((turns - 1))
		if [ $turns -le 0 ] || has_ended victim || has_ended survivor; then
			note "no picture comes; the new program says: $(output victim | tail -n 3)"
			note "and the survivor: $(output survivor | tail -n 3)"
			return 1
		fi
		sleep 0.1
	done
}

# Sets count: how many.
are_right()
{
	count=$(told | pattern_crc $picture) || {
		note "pictures: $count"
		return 1
	}
}

# All that is held, but for pictures that an exporter keeps until they can be handed off, and
# without nodes in XenStore: those of a program that was killed are there until the next one.
state()
{
	local kept=0
	set -- $(possessions "hdmabuf-$survivor" "$domain")
	[ $# = 5 ] || return
	if [ "$survivor" = "$exporter" ]; then
		kept=$(($2 < buffers ? $2 : buffers))
	fi
	echo "$survivor: descriptors $1 mappings $(($2 - kept)) threads $3 children $4"
	holdings dom0 guest1 | awk -v who="$domain:" -v kept=$((kept * pages)) \
		'$1 == who { $3 -= kept } { sub(/ nodes.*/, ""); print }'
}

# Grants of a program that was killed are ended one by one.
is_whole()
{
	local after turns=20
	after=$(state)
	while [ "$after" != "$before" ] && [ $turns -gt 0 ]; do
		sleep 0.5
		turns=$((turns - 1))
		after=$(state)
	done
	[ "$after" = "$before" ] || {
		note "before: $before"
		note "after: ${after:-the survivor is not there: $(output survivor | tail -n 3)}"
		return 1
	}
}

memory_of_survivor()
{
	possessions "hdmabuf-$survivor" "$domain" | cut -d' ' -f5
}

seconds()
{
	printf '%d.%02d' $(($1 / 100)) $(($1 % 100))
}

# One of eight is stopped for a while before, and so does not answer.
kill_once()
{
	local moment status stop=
	throw $((takes * 2))
	moment=$(seconds $chance)
	throw 8
	if [ $chance = 0 ]; then
		throw 200
		stop="kill -STOP \$!; sleep $(seconds $chance);"
	fi
	start_victim "& sleep $moment; $stop kill -KILL \$!; wait \$!"
	finish victim
	status=$?
	[ $status = 137 ] || {
		note "the victim ended with $status: $(output victim | tail -n 3)"
		return 1
	}
	is_whole && are_right || {
		note "killed $moment s after its start${stop:+, stopped before}"
		return 1
	}
	done_kills=$((done_kills + 1))
	[ "$count" = 0 ] || flowing=$((flowing + 1))
}

# A frontend ends when a backend that shares with it stops, so that one is killed.
stop_victim()
{
	if [ "$survivor.$exporter" = frontend.backend ]; then
		kill_it victim
		finish victim
		[ $? = 137 ]
	else
		kill_it victim TERM
		finish victim
	fi
}

# Sets takes: hundredths of a second until pictures flow.
serves_another()
{
	local began
	look_at_clock
	began=$now
	start_victim && await_frames 1 || return
	look_at_clock
	takes=$((now - began))
	await_frames $frames && stop_victim && is_whole && are_right
}

# live_through KILLS
live_through()
{
	local left=$1 memory
	start survivor "$domain" "$command --verbose"
	wait_for survivor waiting || return
	before=$(state)
	serves_another || return
	memory=$(memory_of_survivor)
	while [ "$left" -gt 0 ]; do
		kill_once && serves_another || return
		left=$((left - 1))
	done
	memory=$(($(memory_of_survivor) - memory))
	note "the survivor has $memory KiB more than after the first session"
	kill_it survivor TERM
	finish survivor && [ $memory -le $more ]
}

# soak SURVIVOR EXPORTER KILLS
soak()
{
	local front_command back_command
	survivor=$1
	exporter=$2
	commands guest1 dom0 "$exporter" \
		"--source pattern:$picture --buffers $buffers --frames 0 --rate 25"
	if [ "$survivor" = frontend ]; then
		domain=guest1 command=$front_command
		victim_domain=dom0 victim_command="$back_command --verbose"
	else
		domain=dom0 command=$back_command
		victim_domain=guest1 victim_command="$front_command --verbose"
	fi
	importer=survivor
	[ "$survivor" != "$exporter" ] || importer=victim
	live_through "$3" || {
		kill_it victim
		kill_it survivor
		finish victim
		finish survivor
		return 1
	}
}

# It leaves the nodes in XenStore that there are when nobody is killed.
session_in_order()
{
	start back dom0 'hdmabuf-backend --platform xen: --sink null --once'
	start front guest1 \
		"hdmabuf-frontend --platform xen:0 --source pattern:$picture --frames 1"
	finish front && finish back
}

scenario "killed at random, seed $seed"
attach guest1 dom0
check 'a first session is whole' session_in_order
at_first=$(holdings dom0 guest1)
kind=0
for exporter in frontend backend; do
	for survivor in backend frontend; do
		part=$((kills * (kind + 1) / 4 - kills * kind / 4))
		kind=$((kind + 1))
		check "the $survivor lives through $part kills of its peer, the $exporter shares" \
			soak $survivor $exporter $part
	done
done
check 'and a last one' session_in_order
check_holdings "$at_first" dom0 guest1
note "$done_kills kills, $flowing of them while pictures flowed"
detach guest1
