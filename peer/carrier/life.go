package carrier

import (
	"context"
	"sync/atomic"

	"github.com/telepath-iot/telepath/peer/wire"
)

// Life is what all paths have in common of Run and Close: that serving begins
// once, whoever asks for it first, and that the first reason to end counts.
type Life struct {
	buffer *Buffer
	serve  func(receive func(packet []byte))
	ending context.Context
	end    context.CancelCauseFunc
	over   chan struct{}
	owned  atomic.Bool // serve is called or has been, by Run or a Close before it
}

// NewLife makes the life of a path. serve moves packets until the ending, says
// goodbye and returns when nothing of the path runs any more; what is left in
// buffer is dropped then.
func NewLife(buffer *Buffer, serve func(receive func(packet []byte))) *Life {
	l := &Life{buffer: buffer, serve: serve, over: make(chan struct{})}
	l.ending, l.end = context.WithCancelCause(context.Background())
	return l
}

// Run is Carrier.Run.
func (l *Life) Run(ctx context.Context, receive func(packet []byte)) error {
	cancelled := context.AfterFunc(ctx, func() { l.Stop(Left{context.Cause(ctx)}) })
	defer cancelled()
	if l.own() {
		l.live(receive)
	}
	<-l.over
	if left, ok := l.Cause().(Left); ok {
		return left.Cause
	}
	return l.Cause()
}

// Close is Carrier.Close.
func (l *Life) Close(code wire.Code, reason string) {
	l.Stop(&CloseError{Code: code, Reason: reason})
	if l.own() { // nobody has run it
		go l.live(func([]byte) {})
	}
}

// own reports whether the caller is the first to want to serve.
func (l *Life) own() bool { return l.owned.CompareAndSwap(false, true) }

func (l *Life) live(receive func(packet []byte)) {
	defer close(l.over)
	l.serve(receive)
	l.buffer.Close()
}

// Stop gives the path a reason to end; the first one counts. From then on
// nothing is queued any more.
func (l *Life) Stop(reason error) {
	l.buffer.Seal()
	l.end(reason)
}

// Ending is over once there is a reason to end.
func (l *Life) Ending() context.Context { return l.ending }

// Ends reports whether there is a reason to end.
func (l *Life) Ends() bool { return l.ending.Err() != nil }

// Cause is the reason to end, nil while there is none.
func (l *Life) Cause() error { return context.Cause(l.ending) }

// Over is closed when all has ended.
func (l *Life) Over() <-chan struct{} { return l.over }

// Left is the reason when Run's context ended: this end leaves on purpose,
// without a code.
type Left struct{ Cause error }

// Error implements error.
func (l Left) Error() string { return l.Cause.Error() }
