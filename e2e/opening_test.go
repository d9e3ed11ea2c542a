package e2e

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// oneSegment is what TCP carries in one packet, with room for a route that takes less than 1500 bytes.
const oneSegment = 1400

// The request with which a viewer opens its link fits into one segment, with the offer of data channels in it and addresses of both
// families in that: where it has two, the loss of either delays the first sample by a repeat of TCP's.
func TestOpeningIsOneSegment(t *testing.T) {
	w := newWorld(t)
	must(t, w.view.Readdress(netip.PrefixFrom(w.view.Addr, 24), netip.MustParsePrefix("2001:db8:1234:5678:9abc:def0:1234:5678/64")))
	var listener net.Listener
	must(t, w.srv.Enter(func() (err error) {
		listener, err = net.Listen("tcp", w.srv.Addr.String()+":8081")
		return err
	}))
	defer listener.Close()
	w.URL = "http://" + listener.Addr().String()
	v, err := w.View(w.view, "board")
	must(t, err)
	endWith(t, "view", v.Program)
	conn, err := listener.Accept()
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(firstPath)))
	var raw bytes.Buffer
	request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
	must(t, err)
	if request.Header.Get("Telepath-Open") == "" {
		t.Errorf("no open is in the request:\n%s", &raw)
	}
	if raw.Len() > oneSegment {
		t.Errorf("it has %d bytes, more than %d:\n%s", raw.Len(), oneSegment, &raw)
	}
	t.Logf("%d bytes", raw.Len())
}
