package main

import (
	"fmt"
	"time"

	"github.com/telepath-iot/telepath/e2e/bench/plot"
	"github.com/telepath-iot/telepath/e2e/program"
)

// contestant is one of those that are measured side by side, and drawn.
type contestant struct {
	plot.Style
	start func(*lane) (*contest, error)
}

// contest is one that runs, and has delivered a sample.
type contest struct {
	device, relay, viewer *program.Program // relay nil: none
	arrivals              func() ([]arrival, error)
	astray                func(window) (string, error) // what came otherwise than was asked for; nil: cannot be
}

// The first two are what the others are compared with.
const (
	rawUDP = "raw UDP"
	rawTCP = "raw TCP"
)

var contestants = []contestant{
	{plot.Style{Name: rawUDP, Hue: plot.Grey}, toReceiver("udp-receiver", "udp-sender")},
	{plot.Style{Name: rawTCP, Hue: plot.Grey, Dash: plot.Dashed}, toReceiver("tcp-receiver", "tcp-sender")},
	{plot.Style{Name: "MQTT over TCP", Hue: plot.Orange}, overMQTT("tcp", relayPort)},
	{plot.Style{Name: "MQTT over WebSocket", Hue: plot.Orange, Dash: plot.Dashed}, overMQTT("ws", webSocketPort)},
	{plot.Style{Name: "WebSocket relay", Hue: plot.Red}, overSocket},
	{plot.Style{Name: "pion, unordered, 250 ms", Hue: plot.Green}, toReceiver("pion-called", "pion-caller", pionLive)},
	{plot.Style{Name: "pion, reliable", Hue: plot.Green, Dash: plot.Dashed}, toReceiver("pion-called", "pion-caller", pionReliable)},
	{plot.Style{Name: "telepath udp", Hue: plot.Blue, Bold: true}, onRung("udp", "ws,udp")},
	{plot.Style{Name: "telepath relay-udp", Hue: plot.Blue, Dash: plot.Dashed, Bold: true}, onRung("relay-udp", "ws,relay-udp")},
	{plot.Style{Name: "telepath ws", Hue: plot.Purple, Bold: true}, onRung("ws", "ws")},
	{plot.Style{Name: "telepath sse", Hue: plot.Purple, Dash: plot.Dashed, Bold: true}, onRung("sse", "sse")},
	{plot.Style{Name: "telepath poll", Hue: plot.Purple, Dash: plot.Dotted, Bold: true}, onRung("poll", "poll")},
}

// toReceiver is a sender that knows the receiver's address, and nothing between them. Both take more arguments.
func toReceiver(receiver, sender string, more ...string) func(*lane) (*contest, error) {
	return func(l *lane) (*contest, error) {
		var h heard
		addr := l.relay().String()
		viewer, err := l.listener(h.line, append([]string{receiver, addr}, more...)...)
		if err != nil {
			return nil, err
		}
		return sendTo(l, nil, viewer, &h, append([]string{sender, addr}, more...)...)
	}
}

func overSocket(l *lane) (*contest, error) {
	var h heard
	addr := l.relay().String()
	relay, err := l.listener(nil, "socket-relay", addr)
	if err != nil {
		return nil, err
	}
	viewer, err := l.end(l.viewer(), h.line, "socket-relay-receiver", addr)
	if err != nil {
		return nil, err
	}
	return sendTo(l, relay, viewer, &h, "socket-sender", addr)
}

// overMQTT is a client of paho on both sides of mosquitto.
func overMQTT(scheme string, port uint16) func(*lane) (*contest, error) {
	return func(l *lane) (*contest, error) {
		var h heard
		relay, err := l.keep(l.StartMosquitto(l.viewer(), relayPort, webSocketPort))
		if err != nil {
			return nil, err
		}
		broker := fmt.Sprintf("%s://%v:%d", scheme, l.viewer().Addr, port)
		viewer, err := l.listener(h.line, "mqtt-receiver", broker)
		if err != nil {
			return nil, err
		}
		return sendTo(l, relay, viewer, &h, "mqtt-sender", broker)
	}
}

// firstSample is how long a contestant may take to deliver one.
const firstSample = 30 * time.Second

func sendTo(l *lane, relay, viewer *program.Program, h *heard, sender ...string) (*contest, error) {
	device, err := l.end(l.device(), nil, sender...)
	if err != nil {
		return nil, err
	}
	if _, err := viewer.WaitFor(heardLine, firstSample); err != nil {
		return nil, fmt.Errorf("%w; the sender said:\n%s", err, device.Tail(5))
	}
	return &contest{device: device, relay: relay, viewer: viewer, arrivals: h.arrivals}, nil
}
