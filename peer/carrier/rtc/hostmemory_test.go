package rtc

import (
	"runtime"
	"testing"
)

// TestHostMemory prints what facts say about memory; it is no bound.
func TestHostMemory(t *testing.T) {
	h := startHost(t, true, true)
	const peers = 20
	measure := func() (heap, stacks uint64, goroutines int) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, m.StackInuse, runtime.NumGoroutine()
	}
	heap, stacks, goroutines := measure()
	for range peers {
		near, far := h.dial(t, DialConfig{NoTCP: true})
		run(t, near)
		run(t, far)
	}
	heap2, stacks2, goroutines2 := measure()
	t.Logf("both ends together: %d KiB heap, %d KiB stacks, %d goroutines a connection",
		(heap2-heap)/peers>>10, (stacks2-stacks)/peers>>10, (goroutines2-goroutines)/peers)
}
