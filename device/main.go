// Program telepath-device is the agent that runs on the hardware: sources in,
// streams out. What it does stands in device/cli and device/agent.
package main

import (
	"github.com/telepath-iot/telepath/device/cli"
	"github.com/telepath-iot/telepath/settings"
)

func main() { settings.Main(cli.Root()) }
