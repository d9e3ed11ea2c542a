package main

import "time"

type packet struct {
	due time.Duration // on the link's clock
	seq uint64        // breaks ties, so equal due times keep their order
	buf []byte
}

type packetHeap []*packet

func (h packetHeap) less(a, b *packet) bool {
	return a.due < b.due || a.due == b.due && a.seq < b.seq
}

func (h packetHeap) Len() int           { return len(h) }
func (h packetHeap) Less(i, j int) bool { return h.less(h[i], h[j]) }
func (h packetHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *packetHeap) Push(x any)        { *h = append(*h, x.(*packet)) }
func (h *packetHeap) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return p
}

func (l *Link) alloc() *packet {
	if last := len(l.free) - 1; last >= 0 {
		p := l.free[last]
		l.free = l.free[:last]
		return p
	}
	return &packet{buf: make([]byte, 0, l.mtu)}
}

func (l *Link) release(p *packet) { l.free = append(l.free, p) }

// ipProtocol returns the transport protocol of an IPv4 or IPv6 packet.
func ipProtocol(b []byte) byte {
	switch {
	case len(b) >= 20 && b[0]>>4 == 4:
		return b[9]
	case len(b) >= 40 && b[0]>>4 == 6:
		return b[6]
	}
	return 0
}
