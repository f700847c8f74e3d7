# SPDX-License-Identifier: MIT
# docs/xen.rst, A first picture: what it says is what happens.
scenario 'a first picture'

attach guest1 dom0
start back dom0 'hdmabuf-backend --platform xen: --sink png:/run/received.png --once'
start front guest1 'hdmabuf-frontend --platform xen:0 --source pattern:1920x1080 --frames 3'
check 'the frontend says that all is done' finish front
check 'the backend has seen a session to its end' finish back
check 'a picture is there' [ -s /run/received.png ]
detach guest1
