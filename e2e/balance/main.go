// Program balance keeps the pole of a simulated machine upright over the network, as an operator, and says how long: the closed
// loop of the dashboard's page without a browser. It prints one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/peer"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "balance:", err)
		os.Exit(1)
	}
}

func run() error {
	server := flag.String("server", "", "`URL` of the server")
	tokenFile := flag.String("token-file", "", "`file` with an operator's token")
	device := flag.String("device", "machine", "`name` of the device")
	only := flag.String("only", "", "`rungs` to keep to, separated by commas; default: all")
	rung := flag.String("path", "", "wait until this `rung` carries; default: begin on any")
	most := flag.Duration("for", 20*time.Second, "how long the pole is to stay up")
	flag.Parse()

	token, err := os.ReadFile(*tokenFile)
	if err != nil {
		return err
	}
	endpoint := peer.Endpoint{URL: *server, Token: strings.TrimSpace(string(token))}
	if *only != "" {
		if endpoint.Only, err = peer.ParseOnly(strings.Split(*only, ",")); err != nil {
			return err
		}
	}
	b, err := newBalancer(endpoint, *device)
	if err != nil {
		return err
	}
	// Paths are found, the lease is taken and the pole lifted within this time beside.
	ctx, cancel := context.WithTimeout(context.Background(), *most+time.Minute)
	defer cancel()
	result, err := b.run(ctx, *rung, *most)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
