package rest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/telepath-iot/telepath/signaling/room"
)

// postFrom hands a post to r as if it came from an address; an empty one is of no network.
func postFrom(t *testing.T, r *Rest, from, name string, body io.Reader) (status int, no *room.Refusal) {
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body)
	req.RemoteAddr = from
	req.SetPathValue("name", name)
	w := httptest.NewRecorder()
	no = r.ServeSamples(w, req)
	return w.Code, no
}

func byRemoteAddr(r *http.Request) netip.Addr {
	addr, _ := netip.ParseAddr(r.RemoteAddr)
	return addr
}

// TestSlowPostsKeepNobodyElseOut: who sends bodies that do not come gets a few places, and all others find room.
func TestSlowPostsKeepNobodyElseOut(t *testing.T) {
	const nonsense = "x" // is read, and refused without a device
	for _, c := range []struct {
		what, from           string
		names                []string
		otherFrom, otherName string
	}{
		{"of a network", "192.0.2.1", []string{"green", "red"}, "192.0.2.2", "green"},
		{"for a name, of no network that is told", "", []string{"green"}, "", "blue"},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := New(Config{Network: byRemoteAddr})
			slow, end := io.Pipe()
			over := make(chan string, 2*maxPosts) // the codes with which they end
			for i := range cap(over) {
				go func() {
					_, no := postFrom(t, r, c.from, c.names[i%len(c.names)], slow)
					over <- no.Code
				}()
			}
			synctest.Wait()
			if status, no := postFrom(t, r, c.otherFrom, c.otherName, strings.NewReader(nonsense)); no != nil || status != http.StatusBadRequest {
				t.Errorf("%s: another one's post: %d %+v", c.what, status, no)
			}
			if _, no := postFrom(t, r, c.from, c.names[0], strings.NewReader(nonsense)); no == nil || no.Code != "too-many" {
				t.Errorf("%s: one more of its posts: %+v", c.what, no)
			}
			synctest.Wait()
			end.CloseWithError(io.ErrUnexpectedEOF)
			ends := map[string]int{}
			for range cap(over) {
				ends[<-over]++
			}
			if ends["timeout"] != maxOwnPosts || ends["too-many"] != cap(over)-maxOwnPosts {
				t.Errorf("%s: they ended with %v", c.what, ends)
			}
			if status, no := postFrom(t, r, c.from, c.names[0], strings.NewReader(nonsense)); no != nil || status != http.StatusBadRequest || len(r.places.own)+len(r.places.all) > 0 {
				t.Errorf("%s: places are not given back: %d %+v, %d senders", c.what, status, no, len(r.places.own))
			}
		})
	}
}
