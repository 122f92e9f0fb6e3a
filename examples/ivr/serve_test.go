package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	ivr "ivrqueue/examples/ivr"
)

// serving is a service that the program runs in this process.
type serving struct {
	url   string
	token string
	end   func() (code int, took time.Duration)
	log   *record
}

// record is what was logged; a delivery that was given up may be logged after the end.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// serve runs the program with these flags, on a port of its choice.
func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, stdout := io.Pipe()
	s := &serving{log: new(record)}
	done := make(chan int, 1)
	go func() {
		code := ivr.Run(ctx, append([]string{"serve"}, append(args, "-addr", "127.0.0.1:0")...), stdout, s.log)
		_ = stdout.Close()
		done <- code
	}()
	lines := bufio.NewReader(out)
	s.url = word(t, lines, "The API is at ")
	s.url = strings.TrimSuffix(s.url, "/v1.0")
	if strings.Contains(strings.Join(args, " "), "-dev") {
		s.token = word(t, lines, "A token for it is ")
	}
	s.end = func() (int, time.Duration) {
		began := time.Now()
		cancel()
		return <-done, time.Since(began)
	}
	return s
}

// word returns what follows on the next line.
func word(t *testing.T, r *bufio.Reader, before string) string {
	t.Helper()
	line, err := r.ReadString('\n')
	after, ok := strings.CutPrefix(strings.TrimSpace(line), before)
	if err != nil || !ok {
		t.Fatalf("got %q, %v, want %q", line, err, before)
	}
	return after
}

// create makes a call, and returns the status.
func create(t *testing.T, url, token, callback string) int {
	t.Helper()
	body := `{"callbackUri":"` + callback + `","requestedModalities":["audio"],"targets":[{}],
		"mediaConfig":{"@odata.type":"#microsoft.graph.serviceHostedMediaConfig"}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1.0/communications/calls", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	w, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	return w.StatusCode
}

// between returns the shell lines of the README between two marks.
func between(t *testing.T, mark string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- "+mark+":begin -->\n```sh\n")
	lines, _, ok := strings.Cut(rest, "```\n<!-- "+mark+":end -->")
	if !ok || lines == "" {
		t.Fatalf("the README has no lines between its marks %s", mark)
	}
	return lines
}

// The README's lines work as printed, but for the port.
func TestTheLinesOfTheReadmeWork(t *testing.T) {
	t.Parallel()
	command, ok := strings.CutPrefix(strings.TrimSpace(between(t, "serve")), "go run ./examples/ivr serve ")
	if !ok {
		t.Fatal("the README does not start the service")
	}
	s := serve(t, strings.Fields(command)...)
	bin, folder := t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "curl")); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(between(t, "curl"), "http://127.0.0.1:8080", s.url)
	shell := exec.CommandContext(t.Context(), "sh", "-e", "-u", "-c", script)
	shell.Dir = folder
	shell.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	shell.Stdout, shell.Stderr = &stdout, &stderr
	if err := shell.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s\n%s", err, stderr.String(), stdout.String())
	}
	dec := json.NewDecoder(&stdout)
	var play, cancel struct {
		Type   string `json:"@odata.type"`
		Status string `json:"status"`
	}
	var inbox struct {
		Value []struct {
			ResourceData struct {
				State         string
				ClientContext string
				ResultInfo    struct{ Code, Subcode int }
			}
		}
	}
	for _, v := range []any{&play, &cancel, &inbox} {
		if err := dec.Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	if play.Status != "running" || cancel.Type != "#microsoft.graph.cancelMediaProcessingOperation" || cancel.Status != "completed" {
		t.Errorf("got %+v, %+v", play, cancel)
	}
	var told []string
	for _, n := range inbox.Value {
		told = append(told, strings.TrimSpace(n.ResourceData.State+" "+n.ResourceData.ClientContext))
		if n.ResourceData.ClientContext == "music" && n.ResourceData.ResultInfo.Subcode != 8508 {
			t.Errorf("the music ended with %+v", n.ResourceData.ResultInfo)
		}
	}
	if got, want := strings.Join(told, ", "), "establishing, established, established, music"; got != want {
		t.Errorf("the inbox has %q, want %q", got, want)
	}
	read(t, filepath.Join(folder, "heard.wav"))
	if code, took := s.end(); code != 0 || took > 5*time.Second {
		t.Errorf("exit status %d after %v\n%s", code, took, s.log)
	}
}

// With callbacks that are dead the service ends when its deadline is over, and that is no failure.
func TestDeadCallbacksDoNotKeepTheServiceFromEnding(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(dead.Close)
	t.Cleanup(func() { close(hang) })
	s := serve(t, "-dev")
	for range 3 {
		if got := create(t, s.url, s.token, dead.URL); got != 201 {
			t.Fatalf("got %d", got)
		}
	}
	if code, took := s.end(); code != 0 || took > 15*time.Second || !strings.Contains(s.log.String(), "not every bot could be told") {
		t.Errorf("exit status %d after %v\n%s", code, took, s.log)
	}
}

// A signal ends the process properly.
func TestSignalsEndTheService(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		process := exec.CommandContext(t.Context(), self, "serve", "-dev", "-addr", "127.0.0.1:0")
		process.Env = append(os.Environ(), "IVR_TEST_MAIN=1")
		var stderr bytes.Buffer
		process.Stderr = &stderr
		stdout, err := process.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		url := strings.TrimSuffix(word(t, bufio.NewReader(stdout), "The API is at "), "/v1.0")
		if got := create(t, url, "nobody", "https://example.com"); got != 401 {
			t.Errorf("got %d, want 401", got)
		}
		if err := process.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := process.Wait(); err != nil {
			t.Errorf("%v: %v\n%s", signal, err, stderr.String())
		}
	}
}

// The program without a command goes as scripted, in time, ends with the exchange of Graph's page,
// and leaves its files.
func TestTheDemoGoesAsScripted(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	folder := t.TempDir()
	own := tune(t, "own.wav", 8000)
	began := time.Now()
	code := ivr.Run(t.Context(), []string{"-out", folder, "-prompt", own}, &stdout, &stderr)
	if code != 0 || stderr.Len() > 0 {
		t.Fatalf("exit status %d: %s\n%s", code, stderr.String(), stdout.String())
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v, want under 30 s", took)
	}
	_, exchange, _ := strings.Cut(stdout.String(), "The exchange of the page on cancelMediaProcessing, in full:")
	for _, want := range []string{
		"POST /v1.0/communications/calls/", "/cancelMediaProcessing", "service 200 OK, Location: http://127.0.0.1:",
		`"@odata.type": "#microsoft.graph.cancelMediaProcessingOperation"`, "service notifies the bot",
		`"@odata.type": "#microsoft.graph.recordOperation"`, `"subcode": 8508`, `"completionReason": "operationCanceled"`,
		"The call went as scripted.",
	} {
		var before string
		var ok bool
		before, exchange, ok = strings.Cut(exchange, want)
		if !ok {
			t.Fatalf("%q is not shown in its place, behind\n%s\n%s", want, before, stdout.String())
		}
	}
	l := listener{t, read(t, filepath.Join(folder, "heard.wav"))}
	l.wantWhole("own", read(t, own))
	for _, name := range []string{"music", "record"} { // each for as long as the machine was quick
		if n, all := l.match(prompt(t, name)), len(prompt(t, name)); n == 0 || n == all {
			t.Errorf("%s was heard for %d samples, want a part of %d", name, n, all)
		}
	}
	if l.skip(); len(l.heard) > 0 {
		t.Errorf("%d samples more were heard", len(l.heard))
	}
	if said := prompt(t, "caller"); !contains(read(t, filepath.Join(folder, "recording.wav")), said) {
		t.Error("the recording does not hold what the caller said")
	}

	// Its end comes when it is interrupted, too.
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	stderr.Reset()
	if code := ivr.Run(ctx, []string{"-out", folder}, &stdout, &stderr); code != 1 || stderr.Len() == 0 {
		t.Errorf("interrupted: exit status %d, %q", code, stderr.String())
	}
}
