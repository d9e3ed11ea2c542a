package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/webrtc/v4"

	"github.com/telepath-iot/telepath/e2e/program"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/ladder"
	"github.com/telepath-iot/telepath/peer/telemetry"
)

// bulkQuiet without anything means that all has come: SCTP repeats after a second what was lost last.
const bulkQuiet = 2 * time.Second

// tally counts what comes, and says so when nothing came for bulkQuiet.
type tally struct {
	mu    sync.Mutex
	m     moved       // guarded by mu
	quiet *time.Timer // guarded by mu; nil: nothing has come
}

func (t *tally) add(bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.m.last = time.Now().UnixMicro()
	if t.quiet == nil {
		t.m.first = t.m.last
		t.quiet = time.AfterFunc(bulkQuiet, t.say)
	}
	t.m.bytes += bytes
	t.quiet.Reset(bulkQuiet)
}

func (t *tally) say() {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Println("moved", t.m.bytes, t.m.first, t.m.last)
}

// bulkViewer watches the board on one rung, wants all of its past, counts that, and says of what is live when it was made and when it came.
func bulkViewer(url, tokenFile, only string) error {
	token, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	rung, known := ladder.ParseRung(only)
	if !known {
		return fmt.Errorf("no rung %q", only)
	}
	var past tally
	var batch telemetry.Batch
	conn, err := peer.Dial(peer.ViewConfig{
		Endpoint: peer.Endpoint{URL: url, Token: strings.TrimSpace(string(token)), Proxy: peer.ProxyNone, Only: []ladder.Rung{rung}},
		Device:   "board", Since: time.Hour,
		Events: peer.Events{Batch: func(r peer.Received) {
			switch {
			case r.Past:
				past.add(len(r.Payload))
			case !r.Retained && telemetry.Decode(&batch, r.Payload, r.Header.Count) == nil:
				for i := r.Skip; i < r.Skip+r.Take; i++ {
					fmt.Println("live", batch.T[i], r.At.UnixMicro())
				}
			}
		}},
	})
	if err != nil {
		return err
	}
	return conn.Run(context.Background())
}

// bulkAges gathers what a bulkViewer says of what is live.
type bulkAges struct {
	mu   sync.Mutex
	came [][2]int64 // made, at; µs since 1970; guarded by mu
}

func (a *bulkAges) line(line program.Line) {
	text, isLive := strings.CutPrefix(line.Text, "live ")
	if !isLive {
		return
	}
	var made, at int64
	if _, err := fmt.Sscan(text, &made, &at); err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.came = append(a.came, [2]int64{made, at})
}

// add enters the ages of what came while something was moved, and after that.
func (a *bulkAges) add(to *bulkRow, m moved) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.came {
		age := float64(c[1]-c[0]) / 1000
		switch {
		case c[1] >= m.first && c[1] <= m.last:
			to.beside = append(to.beside, age)
		case c[1] > m.last+time.Second.Microseconds():
			to.idle = append(to.idle, age)
		}
	}
}

// bulkSocketReceiver takes what a bare WebSocket relay passes on.
func bulkSocketReceiver(addr string) error {
	conn, _, err := websocket.Dial(context.Background(), "ws://"+addr+"/receive", nil)
	if err != nil {
		return err
	}
	fmt.Println("listening on", addr)
	var t tally
	for {
		_, message, err := conn.Read(context.Background())
		if err != nil {
			return err
		}
		t.add(len(message))
	}
}

func bulkSocketSender(addr, bytes string) error {
	conn, _, err := websocket.Dial(context.Background(), "ws://"+addr+"/send", nil)
	if err != nil {
		return err
	}
	return sendBulk(bytes, func(message []byte) error {
		return conn.Write(context.Background(), websocket.MessageBinary, message)
	})
}

// bulkPionReceiver is called, and counts what comes on a reliable channel.
func bulkPionReceiver(addr string) error {
	return serve(addr, answering(pionReliable, func(channel *webrtc.DataChannel) {
		var t tally
		channel.OnMessage(func(m webrtc.DataChannelMessage) { t.add(len(m.Data)) })
	}))
}

// bulkPionSender keeps the channel full without having it hold everything, as pion's own example does.
func bulkPionSender(addr, bytes string) error {
	const least, most = 512 << 10, 1 << 20
	pc, channel, err := newPion(pionReliable)
	if err != nil {
		return err
	}
	if err := call(context.Background(), "http://"+addr+"/", pc, channel); err != nil {
		return err
	}
	room := make(chan struct{}, 1)
	channel.SetBufferedAmountLowThreshold(least)
	channel.OnBufferedAmountLow(func() {
		select {
		case room <- struct{}{}:
		default:
		}
	})
	return sendBulk(bytes, func(message []byte) error {
		if err := channel.Send(message); err != nil {
			return err
		}
		if channel.BufferedAmount() > most {
			<-room
		}
		return nil
	})
}

// sendBulk sends so many bytes in messages of bulkSize, and stays until it is ended.
func sendBulk(bytes string, send func([]byte) error) error {
	left, err := strconv.Atoi(bytes)
	if err != nil {
		return err
	}
	for message := make([]byte, bulkSize); left > 0; left -= bulkSize {
		if err := send(message); err != nil {
			return err
		}
	}
	select {}
}
