// Command middlebox is a box on the way to a server, as companies, hotels and mobile networks have them: it takes TCP
// connections and passes them on, and spoils them in one or several ways. It is made for traffic that a firewall redirects
// to it: the client means to talk to the server, under the server's address, and does not know of it.
//
//	middlebox -listen 10.88.0.4:9000 -to 10.88.0.2:8080 -strip-upgrade -cut-idle 2s
//
// A connection that begins with TLS is opened with -intercept-tls only, otherwise it is passed on as bytes and just -cut-idle
// and -slow apply. It prints "ready ADDRESS" and then, to standard error, a line a request.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Config says what the box does. The zero value passes everything on.
type Config struct {
	To string // HOST:PORT of the server

	StripUpgrade      bool          // removes Connection and Upgrade from requests
	RewriteConnection string        // "close" or "keep-alive" takes the place of "Connection: Upgrade"; empty: not
	Stall101          bool          // lets the answer 101 through, and nothing after it
	Buffer            bool          // holds answers until they have ended, or one of these two:
	BufferSize        int           // bytes; default 1 MiB
	BufferTime        time.Duration // default 60 s
	CutIdle           time.Duration // cuts connections on which nothing moved for so long; 0: never
	CapBody           int64         // larger request bodies are answered with 413; bytes, 0: none
	KillH2            bool          // agrees on HTTP/2 and then resets the connection
	InterceptTLS      bool          // opens TLS with certificates of its own
	CAFile            string        // where the own authority's certificate is written; empty: nowhere
	Slow              rate          // takes at full speed and delivers so fast, each way; 0: no limit
}

func main() {
	listen, cfg, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2) // the flag package has said why
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, listen, cfg); err != nil {
		fmt.Fprintln(os.Stderr, "middlebox:", err)
		os.Exit(1)
	}
}

func parse(args []string) (listen string, cfg Config, err error) {
	f := flag.NewFlagSet("middlebox", flag.ContinueOnError)
	f.StringVar(&listen, "listen", "127.0.0.1:0", "`address` that takes the connections")
	f.StringVar(&cfg.To, "to", "", "`address` of the server")
	f.BoolVar(&cfg.StripUpgrade, "strip-upgrade", false, "remove Connection and Upgrade from requests")
	f.StringVar(&cfg.RewriteConnection, "rewrite-connection", "", "put `close or keep-alive` where Connection says Upgrade")
	f.BoolVar(&cfg.Stall101, "stall-101", false, "let 101 through, and nothing after it")
	f.BoolVar(&cfg.Buffer, "buffer", false, "hold answers until they have ended")
	f.IntVar(&cfg.BufferSize, "buffer-size", 1<<20, "`bytes` held at most")
	f.DurationVar(&cfg.BufferTime, "buffer-time", time.Minute, "`time` held at most")
	f.DurationVar(&cfg.CutIdle, "cut-idle", 0, "cut connections on which nothing moved for so long")
	f.Int64Var(&cfg.CapBody, "cap-body", 0, "answer 413 to request bodies of more `bytes`")
	f.BoolVar(&cfg.KillH2, "kill-h2", false, "agree on HTTP/2, then reset")
	f.BoolVar(&cfg.InterceptTLS, "intercept-tls", false, "open TLS with certificates of its own")
	f.StringVar(&cfg.CAFile, "ca", "", "`file` to write the own authority's certificate to")
	f.Var(&cfg.Slow, "slow", "take at full speed, deliver at this `rate` (64kbit)")
	if err = f.Parse(args); err != nil {
		return "", cfg, err
	}
	if cfg.To == "" {
		err = fmt.Errorf("-to HOST:PORT is missing")
		fmt.Fprintln(os.Stderr, "middlebox:", err)
	}
	return listen, cfg, err
}

func serve(ctx context.Context, listen string, cfg Config) error {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	box, err := New(cfg, os.Stderr)
	if err != nil {
		return err
	}
	fmt.Println("ready", l.Addr())
	return box.Run(ctx, l)
}
