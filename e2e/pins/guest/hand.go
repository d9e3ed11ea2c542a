package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/wire"
)

// hand is an operator who moves lamp and brake.
type hand struct {
	remote *peer.Remote

	mu    sync.Mutex
	holds bool // guarded by mu, like gone
	gone  bool // it says nothing any more
}

// The axes, as the agent counts them.
const (
	lamp  = 1
	brake = 2
)

const (
	handEvery = 20 * time.Millisecond
	patience  = 10 * time.Second
)

func newHand(url, token string) (*hand, error) {
	h := &hand{}
	config := peer.RemoteConfig{
		View: peer.ViewConfig{Endpoint: peer.Endpoint{URL: url, Token: token}, Device: device, NoDirect: true}, Name: "Anna", Key: "a",
	}
	var err error
	if h.remote, err = peer.NewRemote(config); err != nil {
		return nil, err
	}
	go func() {
		if err := h.remote.Run(context.Background()); err != nil {
			fmt.Println("the operator:", err)
		}
	}()
	go h.beat()
	return h, nil
}

func (h *hand) hold(holds bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holds, h.gone = holds, false
}

// vanish has it say nothing any more, without letting go.
func (h *hand) vanish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = true
}

func (h *hand) beat() {
	count := uint64(time.Now().UnixMilli())
	var asked time.Time
	moved := false
	for range time.Tick(handEvery) {
		h.mu.Lock()
		holds, gone := h.holds, h.gone
		h.mu.Unlock()
		s := h.remote.Status()
		if holds && !gone && s.Machine != nil && !s.Lease.Mine && time.Since(asked) > 300*time.Millisecond {
			asked = time.Now()
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
				defer cancel()
				_, _ = h.remote.Take(ctx) // the next look tells
			}()
		}
		// Who lets go, or is not obeyed any more, says once that all is neutral, and no more until it may come again.
		moves := holds && s.Driving != rpc.Tripped
		if gone || !moves && !moved {
			continue
		}
		targets := []wire.Target{{Axis: lamp, Value: 0}, {Axis: brake, Value: 1}}
		if moves {
			targets = []wire.Target{{Axis: lamp, Value: 1}, {Axis: brake, Value: 0}}
		}
		moved = moves
		count++
		h.remote.Hand(count, targets)
	}
}

func (h *hand) ready() bool { return h.remote.Status().Machine != nil }

func (h *hand) call(method, params string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	info, err := h.remote.Call(ctx, peer.Call{Method: method, Params: json.RawMessage(params), Deadline: 2 * time.Second})
	if err == nil && info.State != rpc.Done {
		err = fmt.Errorf("call %s: %s: %s", method, info.State, info.Code)
	}
	return err
}

func (h *hand) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := h.remote.Stop(ctx)
	return err
}

func (h *hand) reset() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := h.remote.Reset(ctx)
	return err
}
