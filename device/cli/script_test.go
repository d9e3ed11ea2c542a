package cli

import (
	"testing"

	"github.com/telepath-iot/telepath/settings"
	"github.com/telepath-iot/telepath/settings/settingstest"
)

func TestMain(m *testing.M) {
	settingstest.Main(m, map[string]func(){"telepath-device": func() { settings.Main(Root()) }})
}

func TestScripts(t *testing.T) { settingstest.Run(t, nil) }
