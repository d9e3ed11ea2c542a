//go:build !linux

package ws

import "net"

// tune does nothing where the kernel's buffer of unsent bytes cannot be
// bounded in a portable way.
func tune(net.Conn) {}

// writable is not known here: the writer does all writing.
func writable(net.Conn) bool { return false }
