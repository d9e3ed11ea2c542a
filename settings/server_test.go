package settings_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/telepath-iot/telepath/settings"
)

func TestServer(t *testing.T) {
	for text, ok := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://telepath.example.org": true, "https://[::1]:8443/telepath": true,
		"rubbish": false, "localhost:8080": false, "ws://host:1": false, "ftp://host": false, "http://": false, "http://:8080": false,
		"http://host:99999": false, "http://host:0": false, "http://[::1": false, "http://host/?x=1": false, "http://host/#x": false,
		"http://user:secret@host": false,
	} {
		cmd := &cobra.Command{}
		cmd.Flags().String("server", text, "")
		got, err := settings.Server(cmd)
		if ok != (err == nil) || ok && got != text {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: a password is repeated: %v", text, err)
		}
	}
}
