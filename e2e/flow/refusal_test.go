package flow

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer"
)

func TestUnknownDeviceIsRefused(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	c, err := peer.Dial(peer.ViewConfig{Endpoint: w.endpoint("viewer"), Device: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var refused *peer.RefusedError
	if err := c.Run(ctx); !errors.As(err, &refused) || refused.Code != "unknown-device" {
		t.Fatalf("got %v", err)
	}
}

func TestWrongTokenIsFinal(t *testing.T) {
	w := start(t, t.TempDir(), "127.0.0.1:0")
	e := w.endpoint("viewer")
	e.Token = "wrong"
	c, err := peer.Dial(peer.ViewConfig{Endpoint: e, Device: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	var refused *peer.RefusedError
	if err := c.Run(t.Context()); !errors.As(err, &refused) || refused.Code != "unauthorized" {
		t.Fatalf("got %v", err)
	}
}
