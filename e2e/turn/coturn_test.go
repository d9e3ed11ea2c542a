package turn

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// ways of reaching the server, as coturn's client is told them.
var ways = []struct {
	name   string
	server []string // arguments of the server
	client []string
}{
	{"udp", nil, nil},
	{"tcp", nil, []string{"-t"}},
	{"tls", []string{"--tls", "self"}, []string{"-t", "-S"}},
}

// password is what draft-uberti-behave-turn-rest-00 says.
func password(secret, username string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func in(d time.Duration) string { return strconv.FormatInt(time.Now().Add(d).Unix(), 10) }

// uclient runs coturn's client against the server and returns what it says.
func (w *world) uclient(t *testing.T, args ...string) (string, error) {
	t.Helper()
	line := w.cli.Wrap(append([]string{"timeout", "60", "turnutils_uclient", "-p", strconv.Itoa(port)}, append(args, w.srv.Addr.String())...)...)
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	return string(out), err
}

var (
	exchanged = regexp.MustCompile(`start_mclient: tot_send_msgs=(\d+), tot_recv_msgs=(\d+)`)
	noneLost  = regexp.MustCompile(`Total lost packets 0 `)
)

// Two of coturn's clients meet at their relayed addresses, by ChannelData and by Send, with RTCP's even ports and without.
func TestCoturnsClientsMeet(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start(t, way.server...)
			for _, how := range [][]string{{}, {"-c"}, {"-c", "-s"}, {"-c", "-m", "4", "-l", "1000", "-n", "50"}} {
				args := append([]string{"-y", "-u", "session", "-W", w.secret(t)}, way.client...)
				out, err := w.uclient(t, append(args, how...)...)
				found := exchanged.FindStringSubmatch(out)
				if err != nil || found == nil || found[1] != found[2] || found[1] == "0" || !noneLost.MatchString(out) {
					t.Errorf("%q: %v\n%s", how, err, out)
				}
			}
		})
	}
}

func TestCoturnsClientIsRefused(t *testing.T) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.start(t, way.server...)
			secret, good, old := w.secret(t), in(time.Hour)+":session", in(-time.Second)+":session"
			for name, credentials := range map[string][]string{
				"wrong password":        {"-u", good, "-w", "guess"},
				"expired":               {"-u", old, "-w", password(secret, old)},
				"of another session":    {"-u", in(time.Hour) + ":other", "-w", password(secret, good)},
				"another server's":      {"-u", good, "-w", password("another secret", good)},
				"without a time":        {"-u", "session", "-w", password(secret, "session")},
				"none":                  {},
				"TCP allocation, right": {"-u", good, "-w", password(secret, good), "-T"},
			} {
				args := append([]string{"-y", "-c"}, way.client...)
				if name == "TCP allocation, right" && way.name == "udp" {
					continue // coturn's client asks for it over TCP only
				}
				out, err := w.uclient(t, append(args, credentials...)...)
				if found := exchanged.FindStringSubmatch(out); err == nil || found != nil {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			}
			good = fmt.Sprintf("%s:session", in(time.Hour))
			out, err := w.uclient(t, append(append([]string{"-y", "-c"}, way.client...), "-u", good, "-w", password(secret, good))...)
			if err != nil || !noneLost.MatchString(out) {
				t.Errorf("the right ones: %v\n%s", err, out)
			}
		})
	}
}
