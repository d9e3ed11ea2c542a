// Package settings is how telepath's programs get their configuration. Every
// setting is a flag, and the same setting under two more names:
//
//	--keep-alive 5s                  flag
//	TELEPATH_KEEP_ALIVE=5s           environment: prefix, upper case, _ for -
//	keep-alive: 5s                   YAML file given by --config
//	keep: {alive: 5s}                the same, nested
//
// The flag wins over the environment, the environment over the file, the file
// over the default. A key that no flag has is an error with file, line and
// column, because a setting that is silently ignored is the worst kind.
//
// Lists: flags are repeated; the file has a YAML list; the environment has one
// item a line, or a YAML list in brackets.
//
// Secrets never are flags, since every user of a machine reads its command
// lines: --token-file names a file, TELEPATH_TOKEN holds the token itself. Nor
// may a URL with a password be one, where the flag is marked with SecretURL.
//
// A program hands its root command to Main, which adds --config, --log-level
// and --version, loads, runs, prints what went wrong and exits: 0 done, 1
// failed, 2 wrong usage.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/telepath-iot/telepath/settings/yaml"
)

// Prefix of the environment variables of all telepath programs.
const Prefix = "TELEPATH"

// Load fills those flags of cmd that were not given from the environment and
// from the file that the flag "config" names. All its errors are usage errors.
func Load(cmd *cobra.Command, prefix string) error {
	if err := checkCommandLine(cmd, prefix); err != nil {
		return err
	}
	if err := fromEnvironment(cmd, prefix); err != nil {
		return Usage(err)
	}
	if err := fromFile(cmd); err != nil {
		return Usage(err)
	}
	return nil
}

func fromEnvironment(cmd *cobra.Command, prefix string) error {
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := Variable(prefix, f.Name)
		text, found := os.LookupEnv(name)
		if f.Changed || !found || failed != nil || !configurable(f) {
			return
		}
		values, err := listFromText(f, text)
		if err == nil {
			err = assign(cmd.Flags(), f, values)
		}
		if err != nil {
			failed = fmt.Errorf("environment variable %s: %w", name, err)
		}
	})
	return failed
}

func fromFile(cmd *cobra.Command) error {
	flag := cmd.Flags().Lookup("config")
	if flag == nil || flag.Value.String() == "" {
		return nil
	}
	path := flag.Value.String()
	entries, err := readFile(path, sections(cmd.Root()))
	if errors.Is(err, fs.ErrNotExist) && !flag.Changed {
		return nil // nobody asked for it: the file at the usual place is optional
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(entries, entry.opensADoor) {
		warnReadable(cmd, path)
	}
	return apply(cmd, path, entries)
}

// apply sets the flags of cmd. A key may belong to another command of the
// program: one file serves them all.
func apply(cmd *cobra.Command, path string, entries []entry) error {
	known := flagNames(cmd.Root())
	for _, e := range entries {
		if !known[e.key] {
			return e.failf(path, "unknown key %q%s", e.key, DidYouMean(e.key, known))
		}
		f := cmd.Flags().Lookup(e.key)
		if f == nil || f.Changed {
			continue
		}
		if s, ok := f.Value.(Section); ok && e.tree != nil {
			if err := s.SetTree(*e.tree); err != nil {
				return err
			}
			f.Changed = true
			continue
		}
		if err := assign(cmd.Flags(), f, e.values); err != nil {
			return e.failf(path, "%w", err)
		}
		markInFile(f)
	}
	return nil
}

// inFile marks flags whose values stand in the file.
const inFile = "telepath_in_file"

func markInFile(f *pflag.Flag) {
	if f.Annotations == nil {
		f.Annotations = map[string][]string{}
	}
	f.Annotations[inFile] = nil
}

func standsInFile(f *pflag.Flag) bool {
	_, marked := f.Annotations[inFile]
	return marked
}

// assign sets one flag. It counts as changed afterwards, like one given on the command line.
func assign(flags *pflag.FlagSet, f *pflag.Flag, values []string) error {
	if slice, ok := f.Value.(pflag.SliceValue); ok {
		if err := slice.Replace(values); err != nil {
			return fmt.Errorf("%q is not valid for %s: %w", strings.Join(values, ", "), f.Name, err)
		}
		f.Changed = true
		return nil
	}
	if len(values) != 1 {
		return fmt.Errorf("%s takes one value, not a list of %d", f.Name, len(values))
	}
	if err := f.Value.Set(values[0]); err != nil {
		return fmt.Errorf("%q is not valid for %s (%s): %w", values[0], f.Name, f.Value.Type(), err)
	}
	f.Changed = true
	return nil
}

// Variable is the name of a flag's environment variable.
func Variable(prefix, flag string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// listFromText splits the text of an environment variable for flags that take lists.
func listFromText(f *pflag.Flag, text string) ([]string, error) {
	if _, list := f.Value.(pflag.SliceValue); !list {
		return []string{text}, nil
	}
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "[") {
		return flowList(text)
	}
	separator := "\n"
	if f.Value.Type() == "stringSlice" {
		separator = ","
	}
	var values []string
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			values = append(values, part)
		}
	}
	return values, nil
}

func flowList(text string) ([]string, error) {
	docs, err := yaml.Parse(text)
	if err != nil || len(docs) != 1 {
		return nil, fmt.Errorf("%.64q is not a YAML list", text)
	}
	e, err := valueOf(docs[0])
	return e.values, err
}

// configurable says whether a flag is a setting at all.
func configurable(f *pflag.Flag) bool { return f.Name != "help" && f.Name != "version" }

func flagNames(root *cobra.Command) map[string]bool {
	names := map[string]bool{}
	add := func(f *pflag.Flag) {
		if configurable(f) && f.Name != "config" {
			names[f.Name] = true
		}
	}
	root.Flags().VisitAll(add)
	root.PersistentFlags().VisitAll(add)
	for _, sub := range root.Commands() {
		for name := range flagNames(sub) {
			names[name] = true
		}
	}
	return names
}
