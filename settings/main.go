package settings

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"
)

// The exit codes of all programs.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs a program and exits. The context of its commands ends with SIGINT
// or SIGTERM; a second signal kills at once, as people expect.
func Main(root *cobra.Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // so that a closed pipe is an error of Write, not a death
	code := Run(ctx, root, os.Args[1:])
	stop()
	os.Exit(code)
}

// Run is Main without the process around it: it prints an error, if there is
// one, to the command's error output and returns the exit code.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	prepare(root)
	root.SetArgs(args)
	logs := &logs{}
	err := root.ExecuteContext(context.WithValue(ctx, logsKey{}, logs))
	logs.flush()
	if err == nil || errors.Is(err, errQuiet) || errors.Is(err, errReaderGone) {
		return codeOf(err)
	}
	fmt.Fprintf(root.ErrOrStderr(), "%s: %s\n", root.Name(), strings.Map(harmless, strings.TrimRight(err.Error(), "\n")))
	return codeOf(err)
}

// harmless replaces what could move a terminal's cursor or turn the direction
// of reading: an error may quote what came from elsewhere.
func harmless(r rune) rune {
	if r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
		return unicode.ReplacementChar
	}
	return r
}

// usageError is a mistake in how a program was called, as opposed to one in what it did.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Usage marks err as a mistake in how the program was called: it exits with 2.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Usagef is Usage of a new error.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errQuiet fails without a word.
var errQuiet = errors.New("already said")

// Failed is for a command that has already said what is wrong: exit 1, nothing printed.
func Failed() error { return errQuiet }

// exitError fails with a code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

// WithCode has err exit with a code of its own, 3 or more, which the command's help explains.
func WithCode(err error, code int) error { return exitError{err, code} }

// FailedWith is Failed with such a code.
func FailedWith(code int) error { return WithCode(errQuiet, code) }

func codeOf(err error) int {
	var usage usageError
	var code exitError
	switch {
	case err == nil, errors.Is(err, errReaderGone):
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &code):
		return code.code
	}
	return exitFailed
}

// prepare gives a program the flags and manners that all three share.
func prepare(root *cobra.Command) {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.Version = Version()
	if root.PersistentFlags().Lookup("config") == nil {
		root.PersistentFlags().String("config", "", "YAML file with settings; its keys are the names of the flags")
	}
	root.PersistentFlags().String("log-level", "info", "log this level and above: debug, info, warn or error")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return Usagef("%w; see %s --help", err, cmd.CommandPath())
	})
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := loadConfigName(cmd); err != nil {
			return err
		}
		return Load(cmd, Prefix)
	}
	if root.RunE == nil && root.Run == nil {
		root.RunE = needsCommand
		root.Args = knownCommand
	}
	markArguments(root)
}

// loadConfigName takes the name of the file from the environment, before the file is read.
func loadConfigName(cmd *cobra.Command) error {
	f := cmd.Flags().Lookup("config")
	name, found := os.LookupEnv(Variable(Prefix, "config"))
	if f.Changed || !found {
		return nil
	}
	return Usage(assign(cmd.Flags(), f, []string{name}))
}

// markArguments makes the errors of all argument checks usage errors.
func markArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			var usage usageError
			err := check(cmd, args)
			if err == nil || errors.As(err, &usage) {
				return err
			}
			return Usagef("%w; usage: %s", err, cmd.UseLine())
		}
	}
	for _, sub := range cmd.Commands() {
		markArguments(sub)
	}
}

// needsCommand answers a call without a subcommand: the help, as an error.
func needsCommand(cmd *cobra.Command, _ []string) error {
	fmt.Fprintln(cmd.ErrOrStderr(), strings.TrimSpace(cmd.Long+"\n\n"+cmd.UsageString()))
	return Usage(errQuiet)
}

func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, sub := range cmd.Commands() {
		names[sub.Name()] = !sub.Hidden
	}
	return Usagef("unknown command %q%s; see %s --help", args[0], DidYouMean(args[0], names), cmd.Name())
}

// errReaderGone ends a command whose output nobody reads any more: it is done.
var errReaderGone = errors.New("the reader of the output is gone")

// Stdout is where a command prints. When the reader is gone (head, a closed
// pager) a write fails with an error that ends the program without a word.
func Stdout(cmd *cobra.Command) io.Writer { return quietPipe{cmd.OutOrStdout()} }

type quietPipe struct{ io.Writer }

func (w quietPipe) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		err = errReaderGone
	}
	return n, err
}
