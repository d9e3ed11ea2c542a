package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers every request the same, and checks its headers.
func serve(t *testing.T, status int, body string) Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" || strings.Contains(r.URL.String(), "secret") {
			t.Errorf("token in %q, %q", r.Header, r.URL)
		}
		if post := r.Method == http.MethodPost; post != (r.Header.Get("Telepath-Request") == "1") {
			t.Errorf("%s with headers %q", r.Method, r.Header)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return Client{Server: server.URL + "/", Token: "secret"}
}

func TestAnswers(t *testing.T) {
	devices, err := serve(t, 200, `{"devices":[{"id":"1","name":"a","state":"live","since":1.5}]}`).Devices(t.Context())
	if err != nil || len(devices) != 1 || devices[0].Name != "a" || devices[0].Since != 1.5 {
		t.Errorf("%+v, %v", devices, err)
	}
	login, err := serve(t, 200, `{"url":"http://h/#code=x","expires":"2026-01-01T00:00:00Z"}`).LoginURL(t.Context())
	if err != nil || login.URL != "http://h/#code=x" || login.Expires.IsZero() {
		t.Errorf("%+v, %v", login, err)
	}
}

func TestFailuresSayWhatToDo(t *testing.T) {
	gone := serve(t, 200, "")
	gone.Server = "http://127.0.0.1:1"
	for _, c := range []struct {
		name   string
		client Client
		want   string
	}{
		{"refused", serve(t, 401, `{"code":"unauthorized","reason":"the token is unknown","remedy":"take another"}`), "the token is unknown: take another"},
		{"another server", serve(t, 404, "<html>"), "404 Not Found: is it a telepath server?"},
		{"a page", serve(t, 200, "<html>"), "is it the right URL?"},
		{"nobody", gone, "start telepath-signaling"},
	} {
		if _, err := c.client.Devices(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := serve(t, 200, "{}").LoginURL(t.Context()); err == nil {
		t.Error("no URL is an answer")
	}
}
