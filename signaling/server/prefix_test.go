package server

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCleanPrefix(t *testing.T) {
	for text, want := range map[string]string{"": "", "/": "", "telepath": "/telepath", "/telepath/": "/telepath", "/a/b": "/a/b"} {
		if got, err := CleanPrefix(text); got != want || err != nil {
			t.Errorf("%q: %q %v", text, got, err)
		}
	}
	for _, text := range []string{"/a//b", "/../x", "/a?b", "/a#b", "/a b", "/{x}", "/%41"} {
		if got, err := CleanPrefix(text); err == nil {
			t.Errorf("%q is taken as %q", text, got)
		}
	}
}

// TestPathPrefix: with the prefix, for a proxy that leaves it, and without, for one that takes it off.
func TestPathPrefix(t *testing.T) {
	s := start(t, Config{PathPrefix: "/telepath", Dashboard: fstest.MapFS{"index.html": {Data: []byte("the page")}}})
	for path, want := range map[string]string{
		"/telepath/":           "200 the page",
		"/":                    "200 the page",
		"/telepath/healthz":    "200 ok",
		"/healthz":             "200 ok",
		"/telepath":            "308 /telepath/",
		"/telepath/v1/devices": "401 ",
		"/telepathy/v1/x":      "200 the page",
	} {
		got := get(t, s.url+path)
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if url := s.LoginURLs()[0]; !strings.Contains(url, "/telepath/#code=") {
		t.Errorf("the login URL is %s", url)
	}
}

// get returns status and body, or where a redirection leads.
func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	if to := answer.Header.Get("Location"); to != "" {
		body = []byte(to)
	}
	return answer.Status[:4] + string(body)
}
