package agent_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/telepath-iot/telepath/device/agent"
	"github.com/telepath-iot/telepath/peer/wire"
)

const eventClass = wire.Event

// A device in ten lines. The server and the viewer are there to show that it works.
func Example() {
	server, err := startServer()
	if err != nil {
		log.Fatal(err)
	}
	defer server.stop()
	dir, err := os.MkdirTemp("", "greenhouse")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	ended := make(chan error, 1)

	a, err := agent.New(agent.Config{Server: server.url, Token: server.token("device"), Dir: dir, Name: "greenhouse"})
	if err != nil {
		log.Fatal(err)
	}
	temperature, err := a.Number("temperature", "°C")
	if err != nil {
		log.Fatal(err)
	}
	go func() { ended <- a.Run(ctx) }()
	_ = temperature.Set(21.5)

	for agentLinked := false; !agentLinked; {
		_, err := agent.Check(dir)
		agentLinked = err == nil
	}
	fmt.Println(server.watch(ctx, "greenhouse", "head", 1))
	cancel()
	fmt.Println(<-ended)
	// Output:
	// [temperature 21.5 °C]
	// <nil>
}
