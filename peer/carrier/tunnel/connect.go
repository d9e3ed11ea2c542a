package tunnel

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
)

const (
	// maxAnswer bounds, in bytes, the head of a proxy's answer.
	maxAnswer = 16 << 10

	// maxRefusal bounds, in bytes, the page behind a refusal that is read over
	// to use the connection again; behind a longer one a new one is cheaper.
	maxRefusal = 32 << 10

	// maxTries is how often one connection is asked for at most: without a
	// login, with one, and with a fresh nonce.
	maxTries = 3
)

// through connects to addr through a proxy, logging in where it asks for that.
func (d *Dialer) through(ctx context.Context, proxy *url.URL, addr string) (net.Conn, *carrier.Failure) {
	var conn *proxyConn
	defer func() {
		if conn != nil {
			conn.Close()
		}
	}()
	for try := 1; ; try++ {
		ticket, failure := d.login.answer(ctx, proxy.User, addr)
		if failure != nil {
			return nil, failure
		}
		if conn == nil {
			reached, failure := d.reach(ctx, proxy)
			if failure != nil {
				ticket.giveBack()
				return nil, failure
			}
			conn = newProxyConn(reached)
		}
		answer, err := conn.connect(ctx, addr, ticket.header, d.cfg.StepTime)
		if err != nil {
			ticket.giveBack()
			return nil, explainExchange(err)
		}
		again, failure := ticket.took(answer)
		switch {
		case failure != nil:
			return nil, failure
		case !again && answer.StatusCode/100 == 2:
			opened := conn
			conn = nil
			return opened, nil
		case !again || try == maxTries:
			return nil, explainAnswer(answer, addr)
		case !conn.reusable(answer):
			conn.Close()
			conn = nil
		}
	}
}

func explainExchange(err error) *carrier.Failure {
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return carrier.Fail("proxy-failed", "no answer in time", err)
	}
	return carrier.Fail("proxy-failed", "in the middle of its answer: "+err.Error(), err)
}

// explainAnswer names a proxy's no. The statuses are those of squid (403, 503), of nginx and HAProxy (405, 501, 502, 504).
func explainAnswer(answer *http.Response, addr string) *carrier.Failure {
	detail := "it answers " + printable(answer.Status)
	if why := answer.Header.Get("X-Squid-Error"); why != "" {
		detail += ", " + printable(why)
	}
	_, port, _ := net.SplitHostPort(addr)
	switch answer.StatusCode {
	case http.StatusForbidden:
		if port != "443" { // what nearly all proxies allow
			return carrier.Fail("proxy-443-only", fmt.Sprintf("%s to CONNECT to port %s", detail, port), nil)
		}
		return carrier.Fail("proxy-forbidden", detail, nil)
	case http.StatusProxyAuthRequired:
		return carrier.Fail("proxy-auth-wrong", detail, nil)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusUnavailableForLegalReasons:
		return carrier.Fail("proxy-forbidden", detail, nil)
	}
	return carrier.Fail("proxy-failed", detail, nil)
}

// printable is what a proxy says, without what could move a cursor, and short.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), 100)]
}

// proxyConn is a connection to a proxy, and after a CONNECT through it.
type proxyConn struct {
	net.Conn
	in     *bufio.Reader
	bounds *io.LimitedReader // under in, while the proxy itself is speaking
}

func newProxyConn(conn net.Conn) *proxyConn {
	bounds := &io.LimitedReader{R: conn}
	return &proxyConn{Conn: conn, bounds: bounds, in: bufio.NewReaderSize(bounds, 4<<10)}
}

// connect asks once. The answer's body may be read.
func (c *proxyConn) connect(ctx context.Context, addr, authorization string, limit time.Duration) (*http.Response, error) {
	if deadline, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(deadline))
	}
	c.SetDeadline(time.Now().Add(limit))
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := io.WriteString(c.Conn, request(addr, authorization)); err != nil {
		return nil, err
	}
	c.bounds.N = maxAnswer
	answer, err := http.ReadResponse(c.in, &http.Request{Method: http.MethodConnect})
	if err != nil {
		if c.bounds.N <= 0 {
			err = fmt.Errorf("its head has more than %d bytes", maxAnswer)
		}
		return nil, err
	}
	if answer.StatusCode/100 == 2 {
		if !stop() { // ctx is over, and the deadline may be set after this
			return nil, context.Cause(ctx)
		}
		return answer, c.SetDeadline(time.Time{})
	}
	return answer, nil
}

func request(addr, authorization string) string {
	text := "CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\nUser-Agent: telepath\r\n"
	if authorization != "" {
		text += "Proxy-Authorization: " + authorization + "\r\n"
	}
	return text + "\r\n"
}

// reusable reads the rest of a refusal and reports whether another request can follow.
func (c *proxyConn) reusable(answer *http.Response) bool {
	length, err := strconv.Atoi(answer.Header.Get("Content-Length"))
	if answer.Close || err != nil || length < 0 || length > maxRefusal || len(answer.TransferEncoding) > 0 {
		return false
	}
	c.bounds.N = maxRefusal
	_, err = io.CopyN(io.Discard, answer.Body, int64(length))
	return err == nil
}

// Read implements net.Conn. What came behind the proxy's answer comes first.
func (c *proxyConn) Read(b []byte) (int, error) {
	if n := c.in.Buffered(); n > 0 {
		return c.in.Read(b[:min(len(b), n)])
	}
	return c.Conn.Read(b)
}

// NetConn is the connection below, for who sets options of its socket.
func (c *proxyConn) NetConn() net.Conn { return c.Conn }
