package exec

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/telepath-iot/telepath/peer/rpc"
)

// agentOf names the folder in which this test binary is the agent that will be killed.
const agentOf = "TELEPATH_TEST_AGENT_OF"

// A method's program is told to end when its agent is killed: nobody can call it off any more.
func TestProgramOfAKilledAgentIsToldToEnd(t *testing.T) {
	if dir := os.Getenv(agentOf); dir != "" {
		actAsAgent(t, dir)
		return
	}
	dir := t.TempDir()
	agent := exec.Command(os.Args[0], "-test.run=^TestProgramOfAKilledAgentIsToldToEnd$")
	agent.Env = append(os.Environ(), agentOf+"="+dir)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(dir, "begun"))
	_ = agent.Process.Kill()
	_ = agent.Wait()
	await(t, filepath.Join(dir, "told"))
}

func actAsAgent(t *testing.T, dir string) {
	const script = `cd "$0" && trap 'touch told; exit' TERM && touch begun && while :; do sleep 0.02; done`
	e, err := New(Config{Methods: []Method{{Method: rpc.Method{Name: "move"}, Run: []string{"/bin/sh", "-c", script, dir}}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err = e.Call(ctx, "move", json.RawMessage(`{}`), func(float64) {})
	t.Fatal("it was not killed: ", err)
}

func await(t *testing.T, file string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return
		}
	}
	t.Fatalf("%s did not come", filepath.Base(file))
}
