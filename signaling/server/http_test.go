package server

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/telepath-iot/telepath/peer/signal"
	"github.com/telepath-iot/telepath/peer/wire"
	"github.com/telepath-iot/telepath/signaling/auth"
)

// ask makes a request and returns status and body.
func (r *running) ask(t *testing.T, method, path, body string, headers ...string) (int, map[string]any, http.Header) {
	t.Helper()
	req, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if bytes.HasPrefix(raw, []byte("{")) {
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
	}
	if members == nil {
		members = map[string]any{"text": string(raw)}
	}
	return answer.StatusCode, members, answer.Header
}

func codeIn(url string) string {
	_, code, _ := strings.Cut(url, "/#code=")
	return code
}

func TestLoginCodeIsSingleUse(t *testing.T) {
	s := start(t, Config{})
	body := `{"code":"` + codeIn(s.LoginURLs()[0]) + `"}`
	status, got, _ := s.ask(t, "POST", "/v1/login", body, "Telepath-Request", "1", "Origin", s.url)
	if status != 200 || got["role"] != "operator" || got["token"] == "" {
		t.Fatalf("%d %v", status, got)
	}
	if expires, err := time.Parse(time.RFC3339, got["expires"].(string)); err != nil || time.Until(expires) < time.Hour {
		t.Errorf("expires %v", got["expires"])
	}
	session := got["token"].(string)
	if status, got, _ = s.ask(t, "POST", "/v1/login", body, "Telepath-Request", "1"); status != 401 || got["code"] != "unauthorized" || got["remedy"] == "" {
		t.Fatalf("the second time: %d %v", status, got)
	}
	if status, _, _ = s.ask(t, "GET", "/v1/devices", "", "Authorization", "Bearer "+session); status != 200 {
		t.Fatalf("devices with a session: %d", status)
	}
}

func TestPastedToken(t *testing.T) {
	s := start(t, Config{})
	login := func(token string) (int, map[string]any) {
		status, got, _ := s.ask(t, "POST", "/v1/login", `{"token":"`+token+`"}`, "Telepath-Request", "1")
		return status, got
	}
	status, got := login(s.token(t, auth.Viewer))
	if status != 200 || got["role"] != "viewer" || got["token"] == s.token(t, auth.Viewer) {
		t.Fatalf("%d %v: want a session, not the token", status, got)
	}
	if again, same := login(got["token"].(string)); again != 200 || same["token"] != got["token"] {
		t.Fatalf("a session in exchange for a session: %d %v", again, same)
	}
	if status, got = login(s.token(t, auth.Device)); status != 403 {
		t.Fatalf("device token: %d %v", status, got)
	}
}

func TestFiveWrongCodesThenRateLimited(t *testing.T) {
	s := start(t, Config{})
	for range 5 {
		if status, _, _ := s.ask(t, "POST", "/v1/login", `{"code":"0000000000000000"}`, "Telepath-Request", "1"); status != 401 {
			t.Fatalf("a wrong code: %d", status)
		}
	}
	good := `{"code":"` + codeIn(s.LoginURLs()[0]) + `"}`
	status, got, header := s.ask(t, "POST", "/v1/login", good, "Telepath-Request", "1")
	if status != 429 || got["code"] != "rate-limited" || header.Get("Retry-After") == "" {
		t.Fatalf("after five: %d %v %v", status, got, header)
	}
}

func TestLoginNeedsHeader(t *testing.T) {
	s := start(t, Config{})
	if status, got, _ := s.ask(t, "POST", "/v1/login", `{"code":"x"}`, "Origin", s.url); status != 403 || got["code"] != "forbidden" {
		t.Fatalf("%d %v", status, got)
	}
}

func TestLoginBodies(t *testing.T) {
	s := start(t, Config{})
	large := `{"code":"` + strings.Repeat("x", 1<<20) + `"}`
	if status, got, _ := s.ask(t, "POST", "/v1/login", large, "Telepath-Request", "1"); status != 413 || got["code"] != "too-large" {
		t.Errorf("large: %d %v", status, got)
	}
	for name, body := range map[string]string{
		"empty": "", "no JSON": "code=1", "deep": strings.Repeat("[", 4000),
	} {
		if status, got, _ := s.ask(t, "POST", "/v1/login", body, "Telepath-Request", "1"); status != 400 || got["code"] != "malformed" {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
}

func TestNewLoginURLNeedsAdmin(t *testing.T) {
	s := start(t, Config{})
	if status, _, _ := s.ask(t, "POST", "/v1/login-codes", "", "Authorization", "Bearer "+s.token(t, auth.Operator)); status != 403 {
		t.Fatalf("operator: %d", status)
	}
	status, got, _ := s.ask(t, "POST", "/v1/login-codes", "", "Authorization", "Bearer "+s.token(t, auth.Admin))
	if status != 200 || !strings.HasPrefix(got["url"].(string), s.url+"/#code=") {
		t.Fatalf("admin: %d %v", status, got)
	}
	body := `{"code":"` + codeIn(got["url"].(string)) + `"}`
	if status, _, _ = s.ask(t, "POST", "/v1/login", body, "Telepath-Request", "1"); status != 200 {
		t.Fatalf("login: %d", status)
	}
}

func TestSessionSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Config{Data: dir})
	_, got, _ := first.ask(t, "POST", "/v1/login", `{"code":"`+codeIn(first.LoginURLs()[0])+`"}`, "Telepath-Request", "1")
	first.stop()
	second := start(t, Config{Data: dir})
	if status, _, _ := second.ask(t, "GET", "/v1/devices", "", "Authorization", "Bearer "+got["token"].(string)); status != 200 {
		t.Fatalf("after a restart: %d", status)
	}
}

func TestDevicesAndRemoval(t *testing.T) {
	s := start(t, Config{})
	d := s.device(t, newKey(t), "rig")
	admin := []string{"Authorization", "Bearer " + s.token(t, auth.Admin)}
	if status, _, _ := s.ask(t, "GET", "/v1/devices", ""); status != 401 {
		t.Fatalf("without a token: %d", status)
	}
	if status, _, _ := s.ask(t, "GET", "/v1/devices", "", "Authorization", "Bearer "+s.token(t, auth.Device)); status != 403 {
		t.Fatalf("with a device's token: %d", status)
	}
	_, got, _ := s.ask(t, "GET", "/v1/devices", "", admin...)
	if list := got["devices"].([]any); len(list) != 1 || list[0].(map[string]any)["state"] != "live" {
		t.Fatalf("%v", got)
	}
	if status, _, _ := s.ask(t, "DELETE", "/v1/devices/"+d.id, "", admin...); status != 409 {
		t.Fatalf("removed while online: %d", status)
	}
	d.cut()
	s.waitFor(t, "offline", func() bool { return s.Server.room.Count()["offline"] == 1 })
	v, _ := s.watch(t)
	if status, _, _ := s.ask(t, "DELETE", "/v1/devices/"+d.id, "", admin...); status != 204 {
		t.Fatalf("removal: %d", status)
	}
	if m, _ := v.nextSignal(signal.Devices); !m.Full || len(m.Devices) != 0 {
		t.Fatalf("watchers are told %+v", m)
	}
	if status, _, _ := s.ask(t, "DELETE", "/v1/devices/"+d.id, "", admin...); status != 404 {
		t.Fatalf("removed twice: %d", status)
	}
}

// TestHostsAndOrigins: who may ask under which name, and from which page.
func TestHostsAndOrigins(t *testing.T) {
	s := start(t, Config{AllowHost: []string{"rig.example"}})
	_, port, _ := strings.Cut(s.Addr().String(), ":")
	for _, c := range []struct {
		host, origin string
		ok           bool
	}{
		{"localhost:" + port, "", true},
		{"127.0.0.1:" + port, "http://localhost:" + port, true},
		{"LOCALHOST:" + port, "http://localhost:" + port, true},
		{"rig.example", "https://rig.example", true},
		{"localhost:" + port, "https://rig.example:8443", true}, // a proxy that rewrites Host
		{"evil.example", "", false},
		{"evil.example:" + port, "http://evil.example:" + port, false},
		{"localhost:" + port, "http://evil.example", false},
		{"localhost:" + port, "http://localhost:3000", false}, // another program's page
		{"localhost:" + port, "null", false},
		{"localhost:" + port, "file://localhost", false},
		{"localhost.evil.example:" + port, "", false},
	} {
		headers := []string{"Host", c.host}
		if c.origin != "" {
			headers = append(headers, "Origin", c.origin)
		}
		status, got, _ := s.ask(t, "POST", "/v1/login", "{}", append(headers, "Telepath-Request", "1")...)
		if refused := got["code"] == "bad-origin"; refused == c.ok || refused && (status != 403 || got["remedy"] == "") {
			t.Errorf("Host %q, Origin %q: %d %v", c.host, c.origin, status, got)
		}
		if status, _, _ := s.ask(t, "GET", "/healthz", "", headers...); status != 200 {
			t.Errorf("healthz under Host %q: %d", c.host, status)
		}
	}
}

// TestAPageInTheClear may not talk to a server that is encrypted: anybody on the way may have written it.
func TestAPageInTheClear(t *testing.T) {
	s := start(t, Config{TLSSelf: true})
	_, port, _ := strings.Cut(s.Addr().String(), ":")
	for origin, ok := range map[string]bool{"https://localhost:" + port: true, "http://localhost:" + port: false} {
		r := httptest.NewRequest("POST", "https://localhost:"+port+"/v1/login", nil)
		r.Header.Set("Origin", origin)
		if no := s.hosts.check(r); (no == nil) != ok {
			t.Errorf("a page of %s: %v", origin, no)
		}
	}
}

// TestRefusedLinks: before the upgrade, with a status and words.
func TestRefusedLinks(t *testing.T) {
	s := start(t, Config{})
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	token64 := base64.RawURLEncoding.EncodeToString([]byte(s.token(t, auth.Viewer)))
	for name, c := range map[string]struct {
		headers []string
		status  int
		code    string
	}{
		"no token, no origin": {nil, 401, "unauthorized"},
		"a device watches":    {[]string{"Authorization", "Bearer " + s.token(t, auth.Device), "Telepath-Open", encodedOpen(t, "rig")}, 403, "forbidden"},
		"no token":            {[]string{"Origin", s.url}, 401, "unauthorized"},
		"wrong token":         {[]string{"Authorization", "Bearer nonsense"}, 401, "unauthorized"},
		"foreign page":        {[]string{"Origin", "http://evil.example", "Sec-WebSocket-Protocol", "telepath.v1, token." + token64}, 403, "bad-origin"},
		"browser, no origin":  {[]string{"Sec-WebSocket-Protocol", "telepath.v1, token." + token64}, 403, "bad-origin"},
		"token not encoded":   {[]string{"Origin", s.url, "Sec-WebSocket-Protocol", "telepath.v1, token.???"}, 400, "malformed"},
		"open no JSON":        {[]string{"Authorization", "Bearer " + s.token(t, auth.Viewer), "Telepath-Open", "eA"}, 400, "malformed"},
		"open too large":      {[]string{"Authorization", "Bearer " + s.token(t, auth.Viewer), "Telepath-Open", strings.Repeat("A", 8000)}, 413, "too-large"},
	} {
		status, got, _ := s.ask(t, "GET", "/v1/link", "", append(c.headers, upgrade...)...)
		if status != c.status || got["code"] != c.code || got["reason"] == "" || got["remedy"] == "" {
			t.Errorf("%s: %d %v, want %d %s", name, status, got, c.status, c.code)
		}
	}
}

// TestBrowserLink: a browser brings token and open as subprotocols.
func TestBrowserLink(t *testing.T) {
	s := start(t, Config{})
	s.device(t, newKey(t), "rig")
	b64 := base64.RawURLEncoding.EncodeToString
	conn := rawWebSocket(t, s, http.Header{
		"Origin":                 {s.url},
		"Sec-WebSocket-Protocol": {"token." + b64([]byte(s.token(t, auth.Operator))), "open." + encodedOpen(t, "rig")},
	})
	_, packet, err := conn.readFrame()
	if err != nil || !bytes.Contains(packet, []byte(`"welcome"`)) || !bytes.Contains(packet, []byte(`"operator"`)) || !bytes.Contains(packet, []byte(`"opened"`)) {
		t.Fatalf("the first message is %q, %v", packet, err)
	}
}

// TestOpenRole: no token is needed, and none is given more than the role.
func TestOpenRole(t *testing.T) {
	s := start(t, Config{OpenRole: auth.Viewer})
	if status, _, _ := s.ask(t, "GET", "/v1/devices", ""); status != 200 {
		t.Fatalf("devices: %d", status)
	}
	if status, _, _ := s.ask(t, "POST", "/v1/login-codes", "", "Origin", s.url); status != 403 {
		t.Fatalf("login codes: %d", status)
	}
	if status, got, _ := s.ask(t, "GET", "/v1/link", "", "Authorization", "Bearer wrong"); status != 401 {
		t.Fatalf("a wrong token counts as none: %d %v", status, got)
	}
	conn := rawWebSocket(t, s, http.Header{"Origin": {s.url}})
	if _, packet, err := conn.readFrame(); err != nil || !bytes.Contains(packet, []byte(`"viewer"`)) {
		t.Fatalf("welcome: %q, %v", packet, err)
	}
	if _, err := New(Config{Data: t.TempDir(), OpenRole: auth.Admin}); err == nil {
		t.Fatal("everybody may be admin")
	}
}

func TestDashboardFiles(t *testing.T) {
	s := start(t, Config{Dashboard: fstest.MapFS{
		"index.html":         {Data: []byte("<page>")},
		"favicon.svg":        {Data: []byte("<svg>")},
		"assets/app-1a2b.js": {Data: []byte("run()")},
	}})
	for path, want := range map[string]struct {
		status int
		text   string
		cache  string
	}{
		"/":                   {200, "<page>", "no-store"},
		"/index.html":         {200, "<page>", "no-store"},
		"/device/abc":         {200, "<page>", "no-store"},
		"/assets":             {200, "<page>", "no-store"},
		"/favicon.svg":        {200, "<svg>", "no-store"},
		"/assets/app-1a2b.js": {200, "run()", "public, max-age=31536000, immutable"},
		"/assets/gone.js":     {404, "", ""},
		"/gone.js":            {404, "", ""},
		"/../../etc/passwd":   {200, "<page>", "no-store"},
	} {
		status, got, header := s.ask(t, "GET", path, "")
		if status != want.status || status == 200 && (got["text"] != want.text || header.Get("Cache-Control") != want.cache) {
			t.Errorf("%s: %d %q %q", path, status, got["text"], header.Get("Cache-Control"))
		}
		for name, part := range map[string]string{
			"Content-Security-Policy": "require-trusted-types-for 'script'", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer",
		} {
			if !strings.Contains(header.Get(name), part) {
				t.Errorf("%s: %s is %q", path, name, header.Get(name))
			}
		}
	}
	if status, _, _ := s.ask(t, "GET", "/v1/nothing", ""); status != 404 {
		t.Errorf("an unknown path of the API: %d", status)
	}
}

func TestMetricsAndHealth(t *testing.T) {
	s := start(t, Config{Admin: "127.0.0.1:0"})
	d := s.device(t, newKey(t), "rig")
	d.raw(99, wire.Hop{Conn: 4711}, nil)
	admin := &running{url: "http://" + s.AdminAddr().String()}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, _, _ := admin.ask(t, "GET", path, ""); status != 200 {
			t.Errorf("admin %s: %d", path, status)
		}
		if status, _, _ := s.ask(t, "GET", path, ""); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
	}
	if status, _, _ := s.ask(t, "GET", "/metrics", ""); status != 404 {
		t.Errorf("metrics are served to everybody: %d", status)
	}
	_, got, _ := admin.ask(t, "GET", "/metrics", "")
	text := got["text"].(string)
	for _, line := range []string{`telepath_links{role="device",rung="ws"} 1`, `telepath_devices{state="live"} 1`, `telepath_drops_total{reason="queue-full"} 0`} {
		if !strings.Contains(text, line) {
			t.Errorf("metrics lack %s", line)
		}
	}
	if status, got, _ := admin.ask(t, "GET", "/metrics", "", "Host", "evil.example"); status != 403 || got["code"] != "bad-origin" {
		t.Errorf("metrics under another name: %d %v", status, got)
	}
	if strings.Contains(text, s.token(t, auth.Admin)) {
		t.Error("a secret is in the metrics")
	}
}

func TestSelfSignedTLS(t *testing.T) {
	dir := t.TempDir()
	first := start(t, Config{Data: dir, TLSSelf: true})
	pin := first.Pin()
	if !strings.HasPrefix(pin, "sha256:") || !strings.HasPrefix(first.LoginURLs()[0], "https://") {
		t.Fatalf("pin %q, url %s", pin, first.LoginURLs()[0])
	}
	first.stop()
	if again := start(t, Config{Data: dir, TLSSelf: true}); again.Pin() != pin {
		t.Fatal("the pin changes with a restart")
	}
	if _, err := New(Config{Data: t.TempDir(), TLSCert: "x.pem"}); err == nil || !strings.Contains(err.Error(), "--tls-key") {
		t.Fatalf("a certificate without a key: %v", err)
	}
}
