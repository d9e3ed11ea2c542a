package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/dashboard/term/view"
	"github.com/telepath-iot/telepath/peer"
	"github.com/telepath-iot/telepath/peer/rpc"
	"github.com/telepath-iot/telepath/peer/telemetry"
	"github.com/telepath-iot/telepath/settings"
)

func methodsCommand() *cobra.Command {
	var timeout time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "methods DEVICE",
		Short: "list what can be done with a device: its methods and axes",
		Long: `methods lists what can be done with a device, methods for call and axes for drive, and
says how it is. It needs an operator's token, and exits with 7 if the device is offline.

With --json it prints one object: name, methods [{name, label, help, params and result
(JSON Schemas), role, rate, lease, danger, limit_ms}], axes [{id, name, label, unit, min,
max, slew, neutral, stream}], deadman_ms, age_ms, moving, simulated.`,
		Args: oneDevice,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := patient(timeout); err != nil {
				return err
			}
			return withRemote(cmd, args[0], func(ctx context.Context, r *peer.Remote) error {
				machine, err := ready(ctx, r, timeout)
				if err != nil {
					return err
				}
				if asJSON {
					return printMachineJSON(settings.Stdout(cmd), machine)
				}
				return printMachine(settings.Stdout(cmd), machine, r.Status())
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	timeoutFlag(cmd, &timeout)
	return linkFlags(cmd)
}

func printMachineJSON(out io.Writer, m rpc.Machine) error {
	_, err := out.Write(append(telemetry.AppendJSON(nil, m), '\n'))
	return err
}

func printMachine(out io.Writer, m rpc.Machine, status peer.Status) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, standing(m, status))
	if len(m.Methods) > 0 {
		fmt.Fprintln(table, "\nMETHOD\tPARAMETERS\tNEEDS\tWHAT")
	}
	for _, method := range m.Methods {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", view.Escape(method.Name), orDash(parameters(method.Params)), orDash(needs(method)), view.Escape(or(method.Help, method.Label)))
	}
	if len(m.Axes) > 0 {
		fmt.Fprintln(table, "\nAXIS\tFROM\tTO\tNEUTRAL\tUNIT")
	}
	for _, a := range m.Axes {
		fmt.Fprintf(table, "%s\t%g\t%g\t%g\t%s\n", view.Escape(a.Name), a.Min, a.Max, a.Neutral, orDash(view.Escape(a.Unit)))
	}
	return table.Flush()
}

// standing is a machine's state in a line.
func standing(m rpc.Machine, status peer.Status) string {
	parts := []string{"safe"}
	if m.Moving {
		parts[0] = "moving"
	}
	if status.Stop.Stopped {
		parts[0] = "stopped by " + view.Escape(or(status.Stop.By, "somebody"))
	}
	if holder := status.Lease.Holder; holder != nil {
		parts = append(parts, "the lease is "+view.Escape(holder.Name)+"'s")
	}
	if m.Simulated {
		parts = append(parts, "simulated")
	}
	if m.DeadmanMS > 0 {
		parts = append(parts, fmt.Sprintf("safe without a hand after %d ms", m.DeadmanMS))
	}
	return strings.Join(parts, ", ")
}

// parameters are the names in a schema, those that may be left out in brackets.
func parameters(schema json.RawMessage) string {
	var object struct {
		Properties map[string]struct {
			Type any `json:"type"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if len(schema) == 0 || json.Unmarshal(schema, &object) != nil {
		return ""
	}
	var names []string
	for name, property := range object.Properties {
		text := view.Escape(name)
		if kind, ok := property.Type.(string); ok {
			text += " " + view.Escape(kind)
		}
		if !slices.Contains(object.Required, name) {
			text = "[" + text + "]"
		}
		names = append(names, text)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func needs(m rpc.Method) string {
	var parts []string
	if m.Lease {
		parts = append(parts, "lease")
	}
	if m.Role != "" && m.Role != "operator" {
		parts = append(parts, view.Escape(m.Role))
	}
	if m.Danger {
		parts = append(parts, "--yes")
	}
	return strings.Join(parts, ", ")
}

func orDash(text string) string { return or(text, "-") }
