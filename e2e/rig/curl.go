package rig

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/telepath-iot/telepath/e2e/lab"
	"github.com/telepath-iot/telepath/e2e/program"
)

// curlTime is how long one request may take.
const curlTime = 10 * time.Second

// Curl runs curl on a host with the token of a role, and returns what it printed. An error is its exit code, and what it said.
func (r *Rig) Curl(on *lab.Host, role string, args ...string) (string, error) {
	header, err := r.header(role)
	if err != nil {
		return "", err
	}
	p, err := r.Start(on, program.Spec{Name: "curl", Args: append([]string{"curl", "-sS", "-H", "@" + header}, args...)})
	if err != nil {
		return "", err
	}
	code, err := p.Wait(curlTime)
	switch {
	case err != nil:
		p.Kill()
		return "", err
	case code != 0:
		return p.Output(), fmt.Errorf("curl ended with %d: %s", code, p.Tail(3))
	}
	return p.Output(), nil
}

// header writes a role's token as a header to a file, as docs/running.md has it: not on a command line.
func (r *Rig) header(role string) (string, error) {
	token, err := os.ReadFile(r.Token(role))
	path := filepath.Join(r.Dir, "header-"+role)
	header := "Authorization: Bearer " + strings.TrimSpace(string(token)) + "\n"
	return path, errors.Join(err, os.WriteFile(path, []byte(header), 0o600))
}

// SamplesURL is where is posted for a device, LatestURL where its values are read.
func (r *Rig) SamplesURL(device string) string { return r.URL + "/v1/devices/" + device + "/samples" }

// LatestURL is where a device's values are read.
func (r *Rig) LatestURL(device string) string { return r.URL + "/v1/devices/" + device + "/latest" }
