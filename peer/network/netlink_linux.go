package network

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// listen opens a netlink socket that hears of changes. Reading it waits in the
// runtime's poller, so that closing it ends a Read.
func listen() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("netlink: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("netlink: %w", err)
	}
	return os.NewFile(uintptr(fd), "netlink"), nil
}

// overrun: more happened than the socket holds, which is a change as well.
func overrun(err error) bool { return errors.Is(err, unix.ENOBUFS) }
