// Package source says what a source of telemetry is: something that reads
// values, stamps them with the device's clock and hands them on. Its
// sub-packages are the sources that come with the agent; a new one needs
// nothing but Run.
//
// A source never waits for the network. Put stores or drops, and returns; what
// a slow link does to a value is decided by its class, later and elsewhere.
package source

import (
	"context"
	"errors"
	"time"

	"github.com/telepath-iot/telepath/peer/telemetry"
)

// Source reads values until its context ends or there is no more to read.
type Source interface {
	// Run declares streams at the sink and puts values into them. It returns
	// nil when the context ended or the source has come to its end, and an
	// error when it cannot go on.
	Run(ctx context.Context, sink Sink) error
}

// Sink takes what sources read. It is safe for concurrent use.
type Sink interface {
	// Declare opens a stream for writing. A name that is known already gets
	// the new description, and the same stream, if class and kind are as they were; else the error says so.
	Declare(s Stream) (Writer, error)
}

// Writer takes the values of one stream, from any goroutine, without waiting.
type Writer interface {
	// Put takes the value that was true at t, in µs since the Unix epoch on the
	// device's clock. Bytes are copied. An error says why the value cannot be sent.
	Put(t int64, v telemetry.Value) error
}

// Stream describes one stream.
type Stream = telemetry.Stream

// Reasons why a sink refuses a stream or a value; the text around them says which.
var (
	ErrKind  = telemetry.ErrStreamKind
	ErrClass = telemetry.ErrStreamClass
	ErrTime  = errors.New("the time is out of range")
)

// Stamp is a time as Put takes it.
func Stamp(t time.Time) int64 { return t.UnixMicro() }
