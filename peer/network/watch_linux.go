package network

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// calm is how long nothing must change before a change is told: one unplugged
// cable is a dozen messages.
const calm = 100 * time.Millisecond

// groups of rtnetlink(7) that tell of addresses and routes.
const groups = unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE

// Watch calls changed whenever this machine's addresses or its default route
// have changed, until ctx ends. Where it cannot find out it returns.
func Watch(ctx context.Context, changed func()) {
	socket, err := listen()
	if err != nil {
		return
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	before := state()
	buf := make([]byte, 8<<10)
	for {
		// What a message says does not matter, nor whether some were lost.
		if _, err := socket.Read(buf); err != nil && !overrun(err) {
			return
		}
		settle(socket, buf)
		// Addresses that are only renewed are told of as well.
		if now := state(); now != before && ctx.Err() == nil {
			before = now
			changed()
		}
	}
}

// maxSettle bounds how many messages are waited for: somewhere it may never be calm.
const maxSettle = 100

// settle reads on until nothing has come for a while.
func settle(socket *os.File, buf []byte) {
	for range maxSettle {
		socket.SetReadDeadline(time.Now().Add(calm))
		if _, err := socket.Read(buf); err != nil && !overrun(err) {
			break
		}
	}
	socket.SetReadDeadline(time.Time{})
}
