package switches

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// cutUDP counts from the cut: nobody is told of it.
func cutUDP(w *world, chance *rand.Rand) (time.Time, error) {
	err := w.far.Here.CutUDP()
	cut := time.Now() // not before: setting the rule takes longer than a sample
	if err != nil {
		return cut, err
	}
	time.Sleep(between(chance, time.Second, 3*time.Second))
	return cut, w.far.Here.MendUDP()
}

// killServer counts from the moment the new server is ready.
func killServer(w *world, chance *rand.Rand) (time.Time, error) {
	w.server.Kill()
	time.Sleep(between(chance, 0, 2*time.Second))
	err := w.startServer()
	return time.Now(), err
}

// restartAgent counts from the start of the new one.
func restartAgent(w *world, _ *rand.Rand) (time.Time, error) {
	w.stopProducer()
	if code, err := w.agent.Stop(10 * time.Second); err != nil || code != 0 {
		return time.Time{}, fmt.Errorf("the agent ended with %d: %v; it said:\n%s", code, err, w.agent.Tail(10))
	}
	started := time.Now()
	if err := w.startAgent(); err != nil {
		return started, err
	}
	w.startProducer()
	return started, nil
}
