// Package api asks a server questions over plain HTTP: what needs one answer
// and no link.
package api

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/signal"
)

// Client asks one server.
type Client struct {
	Server string // http(s)://host[:port][/prefix]
	Token  string
	TLS    *tls.Config // default: the system's certificates

	// Dial makes connections, through a proxy if need be. Default: directly.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	timeout   = 10 * time.Second // for a whole answer
	maxAnswer = 16 << 20         // bytes: a fleet's list
)

// Refused is the server's own refusal.
type Refused struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
}

// Error implements error.
func (r *Refused) Error() string {
	if r.Remedy == "" {
		return r.Reason
	}
	return r.Reason + ": " + r.Remedy
}

// Devices lists the devices that the server knows.
func (c Client) Devices(ctx context.Context) ([]signal.Device, error) {
	var answer struct {
		Devices []signal.Device `json:"devices"`
	}
	err := c.do(ctx, http.MethodGet, "/v1/devices", &answer)
	return answer.Devices, err
}

// Login is a link that opens the dashboard once.
type Login struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// LoginURL asks for a new link. It needs the token of an admin.
func (c Client) LoginURL(ctx context.Context) (Login, error) {
	var answer Login
	err := c.do(ctx, http.MethodPost, "/v1/login-codes", &answer)
	if err == nil && answer.URL == "" {
		err = errors.New("the server's answer contains no URL")
	}
	return answer, err
}

func (c Client) do(ctx context.Context, method, path string, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+path, http.NoBody)
	if err != nil {
		return err
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if method == http.MethodPost {
		request.Header.Set("Telepath-Request", "1") // shows that no foreign web page asks
	}
	transport := &http.Transport{TLSClientConfig: c.TLS, DialContext: c.Dial}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return explain(c.Server, err)
	}
	defer response.Body.Close()
	return read(c.Server, response, answer)
}

func read(server string, response *http.Response, answer any) error {
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("server %s: %w", server, err)
	}
	if response.StatusCode == http.StatusOK {
		if json.Unmarshal(body, answer) == nil {
			return nil
		}
		return fmt.Errorf("server %s: the answer is not telepath's: is it the right URL?", server)
	}
	var refused Refused
	if json.Unmarshal(body, &refused) == nil && refused.Reason != "" {
		return fmt.Errorf("server %s: %w", server, &refused)
	}
	return fmt.Errorf("server %s answers %s: is it a telepath server?", server, response.Status)
}

// explain names a failure to connect and says what can be done about it.
func explain(server string, err error) error {
	return fmt.Errorf("server %s: %w", server, carrier.Explain(err))
}
