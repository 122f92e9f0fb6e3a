package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A node that drains lives and can be watched by its operators, says that it is not ready for more, and
// ends with its last call.
func TestANodeThatDrainsIsNotReady(t *testing.T) {
	t.Parallel()
	s := serve(t, "-dev", "-cluster", "test", "-node", "a", "-peers", "a="+freeAddress(t), "-journal", t.TempDir(), "-drain", "1h")
	do := func(method, path, body string, header ...string) (status int, answer []byte) {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.token)
		r.Header.Set("Content-Type", "application/json")
		if len(header) == 2 {
			r.Header.Set(header[0], header[1])
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		w, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		answer, err = io.ReadAll(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		return w.StatusCode, answer
	}
	wantReady := func(ready int) {
		t.Helper()
		for path, want := range map[string]int{"/healthz": 204, "/metrics": 200, "/readyz": ready} {
			if got, body := do("GET", path, ""); got != want {
				t.Errorf("%s: got %d, want %d: %.100s", path, got, want, body)
			}
		}
	}
	wantReady(204)
	const calls = "/v1.0/communications/calls"
	var call struct{ ID string }
	deadline := time.Now().Add(time.Minute)
	for call.ID == "" { // it has no lease yet
		status, body := do("POST", calls, `{"callbackUri":"`+s.url+`/dev/inbox","targets":[{}]}`)
		if status == 201 && json.Unmarshal(body, &call) != nil || time.Now().After(deadline) {
			t.Fatalf("got %d: %s\n%s", status, body, s.log)
		}
	}
	wantReady(204)
	for via, want := range map[string]int{"": 200, "1.1 proxy": 404} {
		if got, body := do("GET", "/cluster", "", "Via", via); got != want {
			t.Errorf("/cluster, via %q: got %d, want %d: %.100s", via, got, want, body)
		}
	}

	ended := make(chan int, 1)
	go func() {
		code, _ := s.end()
		ended <- code
	}()
	for status := 204; status != 503; {
		if status, _ = do("GET", "/readyz", ""); time.Now().After(deadline) {
			t.Fatalf("it is ready: %d", status)
		}
	}
	wantReady(503)
	if status, body := do("DELETE", calls+"/"+call.ID, ""); status != 204 {
		t.Errorf("the call that it has: got %d: %s", status, body)
	}
	if code := <-ended; code != 0 {
		t.Errorf("exit status %d\n%s", code, s.log)
	}
}
