package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/ladder"
)

// DialConfig says where to connect, and how.
type DialConfig struct {
	Config

	Rung   ladder.Rung // ladder.SSE or ladder.Poll
	URL    string      // of the link: http or https, …/v1/link
	Header http.Header // sent with the opening request: Authorization, Telepath-Open

	// Transport makes the requests; the caller closes its connections. Default:
	// one of the link's own, which tries HTTP/2.
	Transport http.RoundTripper

	// TLS is the configuration of the default transport; nil: the system's
	// roots.
	TLS *tls.Config

	// DialContext makes the default transport's TCP connections, through a proxy
	// if need be. Default: that of package tunnel, which takes proxies from the
	// environment.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// HTTP1 tells the default transport to do without HTTP/2. Dial sets it where
	// HTTP/2 was agreed on and cut, and HTTP/1.1 got through. nil: each Dial finds
	// that out for itself.
	HTTP1 *atomic.Bool

	// Body is how large a request's body may be to get through, in bytes; 0: as
	// large as a packet.
	Body int

	// OnCapped is called when something between refused bodies, with the size
	// below which they got through. It may be called by several links at once.
	OnCapped func(bytes int)

	http1  bool         // the default transport does without HTTP/2
	agreed *atomic.Bool // set by the default transport when HTTP/2 was agreed on
}

// openTime is how long it may take from the request to the beginning of the
// answer, where the context of a dial does not end it before.
const openTime = 10 * time.Second

// Dial opens a link: it returns when the event stream has begun, or the first
// answer has come. The server's refusal is a *carrier.Refused, all other
// trouble a *carrier.Failure.
func Dial(ctx context.Context, cfg DialConfig) (*Carrier, error) {
	cfg.http1, cfg.agreed = cfg.HTTP1 != nil && cfg.HTTP1.Load(), new(atomic.Bool)
	c, err := dial(ctx, cfg)
	if err == nil || ctx.Err() != nil || !cfg.suspectsHTTP2(err) {
		return c, err
	}
	cfg.http1 = true
	c, again := dial(ctx, cfg)
	if again != nil {
		return nil, err
	}
	if cfg.HTTP1 != nil {
		cfg.HTTP1.Store(true)
	}
	return c, nil
}

// suspectsHTTP2 reports whether a link could not be opened because something
// between agreed on HTTP/2 and cut it then.
func (cfg DialConfig) suspectsHTTP2(err error) bool {
	var failure *carrier.Failure
	return cfg.agreed.Load() && errors.As(err, &failure) && failure.Name == "cut"
}

func dial(ctx context.Context, cfg DialConfig) (*Carrier, error) {
	e, err := newClient(cfg)
	if err != nil {
		return nil, err
	}
	given := context.AfterFunc(ctx, func() { e.kill(context.Cause(ctx)) })
	err = e.open(cfg.Header)
	switch { // not cut by itself
	case !given(): // it was, or is just about to be
		err = context.Cause(ctx)
	case e.life.Err() != nil:
		err = context.Cause(e.life)
	}
	if err != nil {
		e.hangUp()
		return nil, fmt.Errorf("dial %s over %v: %w", cfg.URL, cfg.Rung, openError(err))
	}
	return e.c, nil
}

// baseURL is the URL of links for plain requests.
func baseURL(link string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", fmt.Errorf("URL of the link: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

// open sends the request that opens the link.
func (e *client) open(header http.Header) error {
	late := time.AfterFunc(openTime, func() { e.kill(os.ErrDeadlineExceeded) })
	defer late.Stop()
	if e.c.rung == ladder.SSE {
		return e.openStream(header)
	}
	var err error
	e.polls = 1
	e.first, err = e.poll(header, nil)
	return err
}

// learn takes from the answer that opens the link how packets may be sent.
func (e *client) learn(answer *http.Response) {
	e.http1, e.ahead = answer.ProtoMajor == 1, parseAhead(answer.Header)
	if e.ahead > 1 {
		e.c.flow = carrier.NewRequestFlow(mostUps)
	}
}

func (e *client) openStream(header http.Header) error {
	answer, err := e.request(e.life, http.MethodGet, pathStream, header, nil)
	if err != nil {
		return err
	}
	kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.StatusCode == http.StatusOK && kind == streamType {
		e.learn(answer)
		e.stream = answer.Body
		return nil
	}
	defer discard(answer)
	return answerError(answer, 0)
}
