package cli

import (
	"fmt"
	"net"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	device "github.com/telepath-iot/telepath/device/cli"
	"github.com/telepath-iot/telepath/settings"
	"github.com/telepath-iot/telepath/settings/settingstest"
	signaling "github.com/telepath-iot/telepath/signaling/cli"
)

func TestMain(m *testing.M) {
	settingstest.Main(m, map[string]func(){
		"telepath":           func() { settings.Main(Root()) },
		"telepath-device":    func() { settings.Main(device.Root()) },
		"telepath-signaling": func() { settings.Main(signaling.Root()) },
		"rover":              rover,
	})
}

// TestScripts runs the three programs together, as a shell would. $PORT is free.
func TestScripts(t *testing.T) {
	settingstest.Run(t, func(env *testscript.Env) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		env.Setenv("PORT", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
		return l.Close()
	})
}
