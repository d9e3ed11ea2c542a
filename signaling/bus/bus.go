// Package bus is what servers share: a small store of records, and messages
// between them. Both are NATS, behind one interface with two ways to get it:
//
//	Embedded  a NATS server inside this process, without any port, its data in
//	          a folder: nothing to install
//	Connect   an external NATS with JetStream, for several servers
//
// The store is a JetStream key-value bucket; a Put is on disk when it returns.
// Messages are lossy and unordered between different senders: what must not
// be lost lives in the device until its receiver has acknowledged it.
//
// Between two links of one server nothing goes through here (package relay).
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bus is the store and the messages. It is safe for concurrent use.
type Bus interface {
	// Put stores a value under a key: letters, digits and -_.
	Put(ctx context.Context, key string, value []byte) error
	// Delete removes a key; one that is not there is no error.
	Delete(ctx context.Context, key string) error
	// All returns everything stored.
	All(ctx context.Context) (map[string][]byte, error)
	// Watch calls f for everything stored and then for every change until ctx
	// ends, one call at a time; value is nil for what was deleted.
	Watch(ctx context.Context, f func(key string, value []byte)) error

	// Publish sends to all subscribers of a subject; data is copied.
	Publish(subject string, data []byte) error
	// Subscribe calls f for each message until cancel, one call at a time.
	Subscribe(subject string, f func(data []byte)) (cancel func(), err error)

	// Close ends it. An embedded server stops with its data on disk.
	Close()
}

// Names and limits in NATS.
const (
	bucket      = "telepath-devices"
	startTime   = 10 * time.Second // for a connection and the bucket
	pendingMsgs = 8192             // messages a subscription may hold, then drop
	pendingSize = 16 << 20         // bytes of the same
)

// client is a Bus over a NATS connection.
type client struct {
	conn *nats.Conn
	kv   jetstream.KeyValue
	log  *slog.Logger
	stop func() // of the server behind it; may do nothing
}

// Connect joins an external NATS.
func Connect(ctx context.Context, url string, log *slog.Logger) (Bus, error) {
	conn, err := nats.Connect(url, options(log)...)
	if err != nil {
		return nil, fmt.Errorf("connect to NATS at %s: %w (check --nats)", redact(url), err)
	}
	return open(ctx, conn, log, func() {})
}

func options(log *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name("telepath-signaling"),
		nats.NoEcho(),           // a server does not hear itself
		nats.Timeout(startTime), // a machine that starts has other work, too
		nats.MaxReconnects(-1),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS is away, trying again", "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { log.Info("NATS is back") }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			log.Warn("NATS reports a problem", "err", err)
		}),
	}
}

// open makes a Bus of a connection, which it closes if that fails.
func open(ctx context.Context, conn *nats.Conn, log *slog.Logger, stop func()) (Bus, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	c := &client{conn: conn, log: log, stop: stop}
	js, err := jetstream.New(conn)
	if err == nil {
		c.kv, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: bucket, Description: "what telepath servers know of devices"})
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("open the registry in NATS: %w (an external NATS needs JetStream: start it with -js)", err)
	}
	return c, nil
}

func (c *client) Put(ctx context.Context, key string, value []byte) error {
	if _, err := c.kv.Put(ctx, key, value); err != nil {
		return fmt.Errorf("store %s: %w", key, err)
	}
	return nil
}

func (c *client) Delete(ctx context.Context, key string) error {
	if err := c.kv.Purge(ctx, key); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("remove %s from the store: %w", key, err)
	}
	return nil
}

func (c *client) All(ctx context.Context) (map[string][]byte, error) {
	w, err := c.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	defer w.Stop()
	all := make(map[string][]byte)
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("read the store: %w", ctx.Err())
		case e := <-w.Updates():
			if e == nil { // the end of what is there now
				return all, nil
			}
			all[e.Key()] = e.Value()
		}
	}
}

func (c *client) Watch(ctx context.Context, f func(key string, value []byte)) error {
	w, err := c.kv.WatchAll(ctx)
	if err != nil {
		return fmt.Errorf("watch the store: %w", err)
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return errors.New("watch the store: NATS ended it")
			}
			report(e, f)
		}
	}
}

func report(e jetstream.KeyValueEntry, f func(key string, value []byte)) {
	switch {
	case e == nil: // the end of what was there at first
	case e.Operation() == jetstream.KeyValuePut:
		f(e.Key(), e.Value())
	default:
		f(e.Key(), nil)
	}
}

func (c *client) Publish(subject string, data []byte) error { return c.conn.Publish(subject, data) }

func (c *client) Subscribe(subject string, f func(data []byte)) (cancel func(), err error) {
	sub, err := c.conn.Subscribe(subject, func(m *nats.Msg) { f(m.Data) })
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	if err := errors.Join(sub.SetPendingLimits(pendingMsgs, pendingSize), c.conn.Flush()); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	return func() {
		if err := sub.Unsubscribe(); err != nil {
			c.log.Debug("a subscription did not end cleanly", "err", err)
		}
	}, nil
}

func (c *client) Close() {
	c.conn.Close()
	c.stop()
}
