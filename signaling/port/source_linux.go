package port

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// controlRoom holds the kernel's word on one datagram.
const controlRoom = 64

// askDestinations lets the kernel say of each datagram to which of our
// addresses it was sent, for a socket that has them all.
func askDestinations(conn *net.UDPConn) error {
	access, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	level, option := unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO
	if conn.LocalAddr().(*net.UDPAddr).IP.To4() != nil {
		level, option = unix.IPPROTO_IP, unix.IP_PKTINFO
	}
	var failed error
	err = access.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), level, option, 1) })
	return errors.Join(err, failed)
}

// destination is what the kernel said: our address, and the interface's number.
// Not valid: nothing.
func destination(control []byte) (at netip.Addr, device uint32) {
	for len(control) >= unix.SizeofCmsghdr {
		header, data, rest, err := unix.ParseOneSocketControlMessage(control)
		switch {
		case err != nil:
			return netip.Addr{}, 0
		case header.Level == unix.IPPROTO_IP && header.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			return netip.AddrFrom4([4]byte(data[4:8])), binary.NativeEndian.Uint32(data)
		case header.Level == unix.IPPROTO_IPV6 && header.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			return netip.AddrFrom16([16]byte(data[:16])), binary.NativeEndian.Uint32(data[16:])
		}
		control = rest
	}
	return netip.Addr{}, 0
}

// sendFrom asks the kernel to send from an address of ours; nil if there is
// nothing to ask. Where an address is of one interface only, that is asked for, too.
func sendFrom(at netip.Addr, device uint32) []byte {
	if !at.IsLinkLocalUnicast() {
		device = 0
	}
	switch {
	case !at.IsValid() || at.IsMulticast() || at.IsUnspecified():
		return nil
	case at.Is4():
		return unix.PktInfo4(&unix.Inet4Pktinfo{Ifindex: int32(device), Spec_dst: at.As4()})
	}
	return unix.PktInfo6(&unix.Inet6Pktinfo{Addr: at.As16(), Ifindex: device})
}
