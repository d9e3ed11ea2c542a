package settings

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Require answers for the first of the flags that has no value: a usage error
// that names all the places where it can be set.
func Require(cmd *cobra.Command, flags ...string) error {
	for _, name := range flags {
		f := cmd.Flags().Lookup(name)
		if f == nil || f.Value.String() != "" && f.Value.String() != "[]" {
			continue
		}
		return Usagef("--%s is missing: give --%s %s, set %s, or put %q in the --config file",
			name, name, placeholder(f), Variable(Prefix, name), name+": …")
	}
	return nil
}

// placeholder stands for a flag's value in messages, as --help writes it.
func placeholder(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	return strings.ToUpper(name)
}

// NoArgs is the check of arguments of commands that have only flags.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return Usagef("%s takes no arguments, but was given %q", cmd.CommandPath(), args[0])
}
