// Program telepath is the dashboard for a terminal and for scripts. What it
// does stands in dashboard/term/cli and the packages beside it.
package main

import (
	"github.com/telepath-iot/telepath/dashboard/term/cli"
	"github.com/telepath-iot/telepath/settings"
)

func main() { settings.Main(cli.Root()) }
