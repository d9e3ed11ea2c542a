package main

import "golang.org/x/sys/unix"

// Stats counts what one direction did. Bytes are those of whole IP packets.
type Stats struct {
	Packets    uint64 `json:"packets"` // offered by the sender
	Bytes      uint64 `json:"bytes"`
	UDPPackets uint64 `json:"udp_packets"`
	UDPBytes   uint64 `json:"udp_bytes"`
	TCPPackets uint64 `json:"tcp_packets"`
	TCPBytes   uint64 `json:"tcp_bytes"`

	Delivered      uint64 `json:"delivered"` // written to the receiver
	DeliveredBytes uint64 `json:"delivered_bytes"`
	LostRandom     uint64 `json:"lost_random"`
	LostBurst      uint64 `json:"lost_burst"`
	LostFade       uint64 `json:"lost_fade"`
	LostQueue      uint64 `json:"lost_queue"`
	LostDown       uint64 `json:"lost_down"`
	LostBlocked    uint64 `json:"lost_blocked"`
	LostDevice     uint64 `json:"lost_device"` // refused by the receiving device
	Reordered      uint64 `json:"reordered"`
	Duplicated     uint64 `json:"duplicated"`
	MaxBacklog     uint64 `json:"max_backlog"` // bytes waiting for the rate limit
}

func (l *Link) count(proto byte, size int) {
	l.stats.Packets++
	l.stats.Bytes += uint64(size)
	switch proto {
	case unix.IPPROTO_UDP:
		l.stats.UDPPackets++
		l.stats.UDPBytes += uint64(size)
	case unix.IPPROTO_TCP:
		l.stats.TCPPackets++
		l.stats.TCPBytes += uint64(size)
	}
}
