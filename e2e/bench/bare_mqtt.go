package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	mqttTopic  = "board/sim"
	atMostOnce = 0 // QoS
)

// mqttClient is a client of paho with its own reconnecting, timers aside. broker is an URL, tcp://… or ws://….
func mqttClient(broker string) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker(broker).SetConnectTimeout(dialTime).
		SetKeepAlive(keepAlive).SetPingTimeout(keepAlive / 2).SetMaxReconnectInterval(time.Second)
}

// dialMQTT connects once: then the client does so itself, and drops what it is given meanwhile.
func dialMQTT(broker string) dialing {
	return func(context.Context) (*sending, error) {
		client := mqtt.NewClient(mqttClient(broker))
		if err := wait(client.Connect()); err != nil {
			return nil, err
		}
		return &sending{
			write: func(payload []byte) error {
				client.Publish(mqttTopic, atMostOnce, false, bytes.Clone(payload)) // it is written later
				return nil
			},
			end: func() { client.Disconnect(0) },
		}, nil
	}
}

func mqttReceiver(broker string) error {
	out := newOutput()
	client := mqtt.NewClient(mqttClient(broker))
	if err := wait(client.Connect()); err != nil {
		return err
	}
	if err := wait(client.Subscribe(mqttTopic, atMostOnce, func(_ mqtt.Client, m mqtt.Message) { _ = say(out, m.Payload()) })); err != nil {
		return err
	}
	fmt.Println("listening on", mqttTopic)
	select {}
}

func wait(token mqtt.Token) error {
	if !token.WaitTimeout(2 * dialTime) {
		return errors.New("the broker does not answer")
	}
	return token.Error()
}
