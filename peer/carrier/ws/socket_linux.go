package ws

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	tcpNotSentLowat = 25 // TCP_NOTSENT_LOWAT of linux/tcp.h, missing in package syscall
	notSentBytes    = 16 << 10
)

// tune asks the kernel to take no more than notSentBytes beyond what the
// congestion window lets go. It is a wish: where it fails, more waits in the
// kernel and less in our queue. (TCP_NODELAY is Go's default.)
func tune(conn net.Conn) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return
	}
	access, err := socket.SyscallConn()
	if err != nil {
		return
	}
	access.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, notSentBytes)
	})
}

// writable reports whether the kernel takes more now: the congestion window
// leaves less than notSentBytes unsent, and a third of the buffer is free.
func writable(conn net.Conn) (ready bool) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return false
	}
	access, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	err = access.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		n, err := unix.Poll(fds, 0)
		ready = err == nil && n == 1 && fds[0].Revents == unix.POLLOUT
	})
	return ready && err == nil
}
