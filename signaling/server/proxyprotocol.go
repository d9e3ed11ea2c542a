package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// The PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt has
// it: the first bytes of a connection say whose it is. Nothing behind them is
// read.
const (
	v2Signature = "\r\n\r\n\x00\r\nQUIT\n"
	v1Prefix    = "PROXY "
	v1Longest   = 107 // bytes with \r\n
	v2Fixed     = 16  // bytes in front of the part whose length they tell
	v2Longest   = 2048
)

var errNoProxyHeader = errors.New("the connection does not begin with a PROXY header")

// readProxyHeader reads a header. An address that is not valid: the proxy
// speaks for itself, or does not know.
func readProxyHeader(r io.Reader) (netip.AddrPort, error) {
	head := make([]byte, len(v2Signature), v1Longest) // the shortest header is longer
	if _, err := io.ReadFull(r, head); err != nil {
		return netip.AddrPort{}, err
	}
	switch {
	case string(head) == v2Signature:
		return readV2(r)
	case bytes.HasPrefix(head, []byte(v1Prefix)):
		return readV1(r, head)
	}
	return netip.AddrPort{}, errNoProxyHeader
}

// readV1 reads a byte at a time: what follows the line is not ours.
func readV1(r io.Reader, line []byte) (netip.AddrPort, error) {
	for !bytes.HasSuffix(line, []byte("\r\n")) {
		if len(line) == v1Longest {
			return netip.AddrPort{}, fmt.Errorf("the PROXY line is longer than %d bytes", v1Longest)
		}
		line = line[:len(line)+1]
		if _, err := io.ReadFull(r, line[len(line)-1:]); err != nil {
			return netip.AddrPort{}, err
		}
	}
	return parseV1(string(line[:len(line)-2]))
}

func parseV1(line string) (netip.AddrPort, error) {
	fields := strings.Split(line, " ")
	if len(fields) >= 2 && fields[1] == "UNKNOWN" {
		return netip.AddrPort{}, nil
	}
	if len(fields) != 6 {
		return netip.AddrPort{}, fmt.Errorf("%.107q is not a PROXY line", line)
	}
	source, err := endOf(fields[1], fields[2], fields[4])
	if err != nil {
		return netip.AddrPort{}, err
	}
	_, err = endOf(fields[1], fields[3], fields[5])
	return source, err
}

// endOf reads one end of a connection of a family, TCP4 or TCP6.
func endOf(family, address, port string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddr(address)
	if err != nil || addr.Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("%.80q in a PROXY line is not an address", address)
	}
	if family != "TCP4" && family != "TCP6" || addr.Is4() != (family == "TCP4") {
		return netip.AddrPort{}, fmt.Errorf("%.80q in a PROXY line is not of %.10q", address, family)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return netip.AddrPort{}, fmt.Errorf("%.80q in a PROXY line is not a port", port)
	}
	return netip.AddrPortFrom(plain(addr), uint16(n)), nil
}

// readV2 reads what follows the signature.
func readV2(r io.Reader) (netip.AddrPort, error) {
	fixed := make([]byte, v2Fixed-len(v2Signature))
	if _, err := io.ReadFull(r, fixed); err != nil {
		return netip.AddrPort{}, err
	}
	length := int(binary.BigEndian.Uint16(fixed[2:]))
	if length > v2Longest {
		return netip.AddrPort{}, fmt.Errorf("the PROXY header has %d bytes more, which is more than %d", length, v2Longest)
	}
	rest := make([]byte, length)
	if _, err := io.ReadFull(r, rest); err != nil {
		return netip.AddrPort{}, err
	}
	return parseV2(fixed[0], fixed[1], rest)
}

// parseV2 reads command and family, and the addresses; what comes behind
// these is for others.
func parseV2(command, family byte, rest []byte) (netip.AddrPort, error) {
	switch command {
	case 0x20: // LOCAL: the proxy's own, to see whether we live
		return netip.AddrPort{}, nil
	case 0x21: // PROXY
	default:
		return netip.AddrPort{}, fmt.Errorf("PROXY version and command %#02x are not known", command)
	}
	size := map[byte]int{0x11: 4, 0x21: 16}[family] // TCP over IPv4, over IPv6: bytes of an address
	if size == 0 {
		return netip.AddrPort{}, nil // a family that has no address of ours: the proxy speaks for itself
	}
	if len(rest) < 2*size+4 { // two addresses, two ports
		return netip.AddrPort{}, fmt.Errorf("the PROXY header ends in its addresses")
	}
	addr, _ := netip.AddrFromSlice(rest[:size])
	return netip.AddrPortFrom(plain(addr), binary.BigEndian.Uint16(rest[2*size:])), nil
}
