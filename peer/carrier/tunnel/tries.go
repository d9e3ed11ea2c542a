package tunnel

import (
	"context"
	"net"
	"time"
)

// secondTry is when a connection that does not stand yet is tried once more, beside
// the first try: where the packet that opens it got lost, TCP sends it again only
// after a second (RFC 6298, section 2), and where it did not, a second one costs little.
const secondTry = 200 * time.Millisecond

// mostTries at a connection are under way at once.
const mostTries = 2

type try struct {
	conn net.Conn
	err  error
}

// connect makes a TCP connection. What comes of the first try that comes to an end
// counts: one that is refused would be so again.
func (d *Dialer) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, enough := context.WithCancel(ctx)
	defer enough()
	tries, under := make(chan try, mostTries), 0
	begin := func() {
		under++
		go func() {
			conn, err := d.net.DialContext(ctx, network, addr)
			tries <- try{conn, err}
		}()
	}
	begin()
	late := time.NewTimer(secondTry)
	defer late.Stop()
	for {
		select {
		case <-late.C:
			begin()
		case first := <-tries:
			enough()
			for under--; under > 0; under-- {
				if other := <-tries; other.err == nil {
					other.conn.Close()
				}
			}
			return first.conn, first.err
		}
	}
}
