// Command telepath-signaling introduces devices and viewers, relays for those
// who cannot meet, and serves the dashboard.
package main

import (
	"github.com/telepath-iot/telepath/settings"
	"github.com/telepath-iot/telepath/signaling/cli"
)

func main() { settings.Main(cli.Root()) }
