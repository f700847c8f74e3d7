# SPDX-License-Identifier: MIT
# docs/displif.rst: Linux's own sound driver, unmodified, plays and records with
# hdmabuf-backend; aplay and arecord are those of alsa-utils.

# Buffers of two seconds: an emulated machine is late now and then, and then Linux plays
# some frames twice (docs/displif.rst).
card="vsnd=[['CARD, backend=0, short-name=Xen, buffer-size=524288, sample-rates=48000, sample-formats=s16_le',
	'PCM, name=main', 'STREAM, unique-id=out, type=P', 'STREAM, unique-id=in, type=C']]"

start_backend()
{
	start back dom0 "hdmabuf-backend --protocol sndif --platform xen: -v --sink wav:/run/played.wav --source wav:/run/source.wav"
}

end_backend()
{
	kill_it back TERM
	finish back 30
}

load='modprobe snd_xen_front && echo "pcm.xen { type hw card 0 device 0 }" >/run/alsa.conf'
alsa='cd /run; export ALSA_CONFIG_PATH=/run/alsa.conf;'
unload='for device in /sys/bus/xen/drivers/vsnd/vsnd-*; do echo ${device##*/} >/sys/bus/xen/drivers/vsnd/unbind; done; rmmod snd_xen_front'

has_played()
{
	wav same /run/original.wav "/run/$1" >/run/compared
	status=$?
	note "$(cat /run/compared)"
	return $status
}

scenario sndif
rm -f /run/played*.wav
wav make /run/original.wav 3
wav make /run/source.wav 10
start_backend
check 'a guest with a sound card is created' create guest9 "$card" || return
check 'its module is loaded' on guest9 "$load"
check 'both ends are connected' await_backend vsnd guest9 4
on guest9 'wav make /run/original.wav 3; wav make /run/source.wav 10'
check 'aplay plays' on guest9 "$alsa aplay -q -B 2000000 -D xen original.wav" 120
check 'the file has exactly what was played' has_played played.wav
check 'arecord records' on guest9 "$alsa arecord -q -B 2000000 -D xen -f S16_LE -c 2 -r 48000 -d 1 recorded.wav" 120
check 'what was recorded is what the source has' on guest9 'wav begins /run/recorded.wav /run/source.wav'
check 'the module is unloaded' on guest9 "$unload" 120
check 'the backend waits for a new one' await_backend vsnd guest9 2
before=$(holdings dom0 guest9)
check 'the module is loaded again' on guest9 "$load"
check 'both ends are connected again' await_backend vsnd guest9 4
check 'aplay plays again' on guest9 "$alsa aplay -q -B 2000000 -D xen original.wav" 120
check 'and all of it is there' has_played played-2.wav

scenario 'sndif, the backend is killed'
kill_it back
finish back 10
rm -f /run/played*.wav
start_backend
check 'both ends are connected again' await_backend vsnd guest9 4
check 'aplay plays' on guest9 "$alsa aplay -q -B 2000000 -D xen original.wav" 120
check 'the file has exactly what was played' has_played played.wav
check 'the module is unloaded' on guest9 "$unload" 120
check 'the backend waits for a new one' await_backend vsnd guest9 2
check_holdings "$before" dom0 guest9
check 'the backend ends in good order' end_backend
output back | while read -r line; do note "$line"; done
destroy guest9
