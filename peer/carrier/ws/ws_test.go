package ws

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/telepath-iot/telepath/peer/carrier"
	"github.com/telepath-iot/telepath/peer/carrier/carriertest"
)

func TestContract(t *testing.T) {
	carriertest.Run(t, carriertest.Harness{Connect: connect, Codes: true})
}

func TestContractTLS(t *testing.T) {
	carriertest.Run(t, carriertest.Harness{Connect: connectTLS, Codes: true})
}

// listen is a server that accepts every link and hands it over.
func listen(t *testing.T, start func(*httptest.Server)) (*httptest.Server, <-chan *Carrier) {
	accepted := make(chan *Carrier, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, Config{})
		if err != nil {
			t.Errorf("accept: %v", err)
			return
		}
		accepted <- c
	}))
	start(server)
	t.Cleanup(server.Close)
	return server, accepted
}

func connect(t *testing.T) (a, b carrier.Carrier) {
	server, accepted := listen(t, (*httptest.Server).Start)
	return dial(t, DialConfig{URL: server.URL}), <-accepted
}

func connectTLS(t *testing.T) (a, b carrier.Carrier) {
	server, accepted := listen(t, (*httptest.Server).StartTLS)
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig
	return dial(t, DialConfig{URL: server.URL, TLS: pool}), <-accepted
}

func dial(t *testing.T, cfg DialConfig) *Carrier {
	t.Helper()
	c, err := Dial(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
