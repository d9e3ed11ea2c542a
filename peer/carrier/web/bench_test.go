package web

import (
	"context"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/wire"
)

// BenchmarkFrames: frames of 100 bytes in a row, over loopback: what a frame
// costs both ends together.
func BenchmarkFrames(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.String()+", down", func(b *testing.B) {
			client, server := listen(b, k).connect(b)
			stream(b, server, client)
		})
		b.Run(k.String()+", up", func(b *testing.B) {
			client, server := listen(b, k).connect(b)
			stream(b, client, server)
		})
	}
}

// stream sends b.N frames as fast as they are taken.
func stream(b *testing.B, from, to *Carrier) {
	ctx, cancel := context.WithCancel(b.Context())
	all, over := make(chan struct{}), make(chan error, 2)
	left := b.N
	go func() { over <- from.Run(ctx, func([]byte) {}) }()
	go func() {
		over <- to.Run(ctx, received(func() {
			if left--; left == 0 {
				close(all)
			}
		}))
	}()
	f := event(0, 85)
	b.SetBytes(int64(len(f.Bytes)))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		for !from.Send(f) {
			time.Sleep(10 * time.Microsecond)
		}
	}
	<-all
	b.StopTimer()
	cancel()
	<-over
	<-over
}

// BenchmarkOneByOne: a frame that waits for nobody: a packet of its own, there
// and back, as a ping has it.
func BenchmarkOneByOne(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.String(), func(b *testing.B) {
			client, server := listen(b, k).connect(b)
			pingPong(b, client, server)
		})
	}
}

func pingPong(b *testing.B, client, server *Carrier) {
	ctx, cancel := context.WithCancel(b.Context())
	back, over := make(chan struct{}, 1), make(chan error, 2)
	go func() { over <- client.Run(ctx, received(func() { back <- struct{}{} })) }()
	go func() { over <- server.Run(ctx, received(func() { server.Send(event(0, 85)) })) }()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		client.Send(event(0, 85))
		<-back
	}
	b.StopTimer()
	cancel()
	<-over
	<-over
}

// received calls then for each frame of data.
func received(then func()) func(packet []byte) {
	return func(packet []byte) {
		for len(packet) > 0 {
			f, rest, err := wire.NextFrame(packet)
			if err != nil {
				return
			}
			if packet = rest; f.Type == wire.TypeData {
				then()
			}
		}
	}
}
