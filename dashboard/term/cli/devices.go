package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/settings"
)

func devicesCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "list the devices that the server knows, and whether they are there",
		Long: `devices lists the devices that the server knows, and whether they are there: live,
reachable (linked, but silent for more than 5 s) or offline. It also says whose clock
is wrong: the server compares it with its own when a device links.

With --json it prints one object per line:
  presence  device, id, state, since, and if there is something to say, grace_ms (how long
            one that is offline may still come back by itself) and ahead_ms (how far its
            clock is ahead of the server's; negative: behind)`,
		Args: settings.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := client(cmd)
			if err != nil {
				return err
			}
			devices, err := c.Devices(cmd.Context())
			if err != nil {
				return err
			}
			slices.SortFunc(devices, func(a, b signal.Device) int {
				return strings.Compare(a.Name+a.ID, b.Name+b.ID)
			})
			return printDevices(settings.Stdout(cmd), devices, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line, of type presence")
	return serverFlags(cmd)
}

func printDevices(out io.Writer, devices []signal.Device, asJSON bool) error {
	now := time.Now()
	if asJSON {
		var lines []byte
		for _, d := range devices {
			lines = view.JSON{}.Presence(lines, now, d)
		}
		_, err := out.Write(lines)
		return err
	}
	if len(devices) == 0 {
		_, err := fmt.Fprintln(out, "No device has ever been linked to this server. telepath-device run links one.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tID\tMACHINE")
	for _, d := range devices {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", view.Escape(d.Name), view.State(d, now)+clockWords(d), view.Escape(d.ID), machine(d))
	}
	return table.Flush()
}

// clockWords says of a clock that is wrong by how much.
func clockWords(d signal.Device) string {
	ahead := time.Duration(d.AheadMS) * time.Millisecond
	switch {
	case ahead > 0:
		return ", its clock is " + view.Short(ahead) + " ahead of the server's"
	case ahead < 0:
		return ", its clock is " + view.Short(-ahead) + " behind the server's"
	}
	return ""
}

// machine says in a few words what the device runs on.
func machine(d signal.Device) string {
	var words []string
	for _, fact := range []string{"model", "os", "arch"} {
		if text := d.Facts[fact]; text != "" {
			words = append(words, view.Escape(text))
		}
	}
	return strings.Join(words, ", ")
}
