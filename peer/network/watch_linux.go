package network

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// calm is how long nothing must change before a change is told that leaves no way
// out, or follows another one: one unplugged cable is a dozen messages.
const calm = 100 * time.Millisecond

// groups of rtnetlink(7) that tell of addresses and routes.
const groups = unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE

// Watch calls changed whenever this machine's addresses or its default route
// have changed, until ctx ends: at once where they lead somewhere, and again when
// it is calm, if there was more. Where it cannot find out it returns.
func Watch(ctx context.Context, changed func()) {
	socket, err := listen()
	if err != nil {
		return
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	w := newWatch(present(), changed)
	buf := make([]byte, 8<<10)
	for {
		// What a message says does not matter, nor whether some were lost.
		if _, err := socket.Read(buf); err != nil && !overrun(err) {
			return
		}
		settle(socket, buf, func() { w.stirred(present()) })
		if ctx.Err() == nil {
			w.calmed(present())
		}
	}
}

// maxSettle bounds how many messages are waited for: somewhere it may never be calm.
const maxSettle = 100

// settle reads on until nothing has come for a while, and calls look after each message.
func settle(socket *os.File, buf []byte, look func()) {
	for range maxSettle {
		look()
		socket.SetReadDeadline(time.Now().Add(calm))
		if _, err := socket.Read(buf); err != nil && !overrun(err) {
			break
		}
	}
	socket.SetReadDeadline(time.Time{})
}

// watch decides which states are told of.
type watch struct {
	changed func()
	told    state
	routed  bool // there has been a way out: addresses without one are half of a network
	early   bool // something was told since it was calm
}

func newWatch(now state, changed func()) *watch {
	return &watch{changed: changed, told: now, routed: now.gateway != ""}
}

// stirred takes a state that may not last. The first one that leads somewhere is
// told: whoever has lost his connection is not to wait for calm.
func (w *watch) stirred(now state) {
	if w.early || now == w.told || now.addrs == "" || now.gateway == "" && w.routed {
		return
	}
	w.early = true
	w.tell(now)
}

// calmed takes a state that lasts. Addresses that are only renewed make none that is new.
func (w *watch) calmed(now state) {
	w.early = false
	if now != w.told {
		w.tell(now)
	}
}

func (w *watch) tell(now state) {
	w.told = now
	w.routed = w.routed || now.gateway != ""
	w.changed()
}
