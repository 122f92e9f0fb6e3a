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
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	ivr "ivrqueue/examples/ivr"
	"ivrqueue/examples/ivr/service"
)

// serving is a service that the program runs in this process.
type serving struct {
	url   string
	token string
	end   func() (code int, took time.Duration)
	log   *record

	stdout *bufio.Reader // behind what was read from it
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
	if !slices.Contains(args, "-addr") {
		args = append(args, "-addr", "127.0.0.1:0")
	}
	go func() {
		code := ivr.Run(ctx, append([]string{"serve"}, args...), stdout, s.log)
		_ = stdout.Close()
		done <- code
	}()
	lines := bufio.NewReaderSize(out, 1<<16)
	s.stdout = lines
	s.url = word(t, lines, "The API is at ")
	s.url = strings.TrimSuffix(s.url, "/v1.0")
	if strings.Contains(strings.Join(args, " "), "-dev") {
		s.token = word(t, lines, "A token of the application dev for it is ")
		word(t, lines, "Its calls are shown at "+s.url+service.InspectorPath+" ")
		word(t, lines, "The issuer of notifications' tokens is ")
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
	return linesOf(t, "../../README.md", mark)
}

// linesOf returns the shell lines of a document between two marks.
func linesOf(t *testing.T, document, mark string) string {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- "+mark+":begin -->\n```sh\n")
	lines, _, ok := strings.Cut(rest, "```\n<!-- "+mark+":end -->")
	if !ok || lines == "" {
		t.Fatalf("%s has no lines between its marks %s", document, mark)
	}
	return lines
}

// published is where the service is in the lines that the documents have.
const published = "http://127.0.0.1:8080"

// shellFor returns a shell that runs lines in a folder, with the service at this URL.
func shellFor(t *testing.T, folder, lines, url string) *exec.Cmd {
	t.Helper()
	bin := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "curl")); err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(lines, published, url)
	shell := exec.CommandContext(t.Context(), "sh", "-e", "-u", "-c", script)
	shell.Dir = folder
	shell.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return shell
}

// The README's lines work as printed, but for the port.
func TestTheLinesOfTheReadmeWork(t *testing.T) {
	t.Parallel()
	command, ok := strings.CutPrefix(strings.TrimSpace(between(t, "serve")), "go run ./examples/ivr serve ")
	if !ok {
		t.Fatal("the README does not start the service")
	}
	s := serve(t, strings.Fields(command)...)
	folder, stdout := paste(t, strings.ReplaceAll(between(t, "curl"), published, s.url))
	wantCancelled(t, folder, stdout)
	s.wantAllTold(t)
}

// wantAllTold ends the service, and wants it to have told every bot.
func (s *serving) wantAllTold(t *testing.T) {
	t.Helper()
	if code, took := s.end(); code != 0 || strings.Contains(s.log.String(), "not every bot could be notified") {
		t.Errorf("exit status %d after %v\n%s", code, took, s.log)
	}
}

// So do those that the service prints, which end the call as the caller, too; also where a phone would be
// a real telephone.
func TestTheLinesThatTheServicePrintsWork(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string]string{
		"callers are played": "-dev -bot dev=http://127.0.0.1:1/",
		"telephones call":    "-dev -bot dev=http://127.0.0.1:1/ -sip PHONES -number 100=dev",
		"and are called":     "-dev -bot dev=http://127.0.0.1:1/ -sip PHONES -trunk sip:127.0.0.1:1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, strings.Fields(strings.ReplaceAll(flags, "PHONES", freeAddress(t)))...)
			script := s.pasted(t)
			folder, stdout := paste(t, script)
			wantCancelled(t, folder, stdout)
			if code, _ := s.end(); code != 0 || !strings.Contains(s.log.String(), "call ended") {
				t.Errorf("exit status %d\n%s", code, s.log)
			}
		})
	}
}

// pasted returns the lines that the service prints for that.
func (s *serving) pasted(t *testing.T) string {
	t.Helper()
	var script strings.Builder
	for {
		line, err := s.stdout.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "Ctrl-C ends") {
			return script.String()
		}
		if pasted, ok := strings.CutPrefix(line, "  "); ok {
			script.WriteString(pasted)
		}
	}
}

// patient has the lines' sleeps go on for as long as a busy machine needs: until the call has audio,
// and, after the cancel, until the bot was told of the music's end.
const patient = `
slept=0
sleep() {
	command sleep "$1"
	slept=$((slept + 1))
	case $slept in 1) told='"active"' ;; 2) return ;; *) told='"subcode":8508' ;; esac
	until curl -s -H "$AUTH" $API/dev/inbox | grep -q "$told"; do command sleep 0.1; done
}
`

// paste runs lines of a shell in a folder of their own, where curl is ours.
func paste(t *testing.T, script string) (folder string, stdout *bytes.Buffer) {
	t.Helper()
	folder = t.TempDir()
	shell := shellFor(t, folder, patient+script, published)
	stdout = new(bytes.Buffer)
	var stderr bytes.Buffer
	shell.Stdout, shell.Stderr = stdout, &stderr
	if err := shell.Run(); err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s\n%s", err, stderr.String(), stdout.String())
	}
	return folder, stdout
}

// wantCancelled wants the answers and the inbox of a call whose music was cancelled, and what was
// heard.
func wantCancelled(t *testing.T, folder string, stdout *bytes.Buffer) {
	t.Helper()
	dec := json.NewDecoder(stdout)
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
	var shown []string
	for _, n := range inbox.Value {
		shown = append(shown, strings.TrimSpace(n.ResourceData.State+" "+n.ResourceData.ClientContext))
		if n.ResourceData.ClientContext == "music" && n.ResourceData.ResultInfo.Subcode != 8508 {
			t.Errorf("the music ended with %+v", n.ResourceData.ResultInfo)
		}
	}
	if got, want := strings.Join(shown, ", "), "establishing, established, established, music"; got != want {
		t.Errorf("the inbox has %q, want %q", got, want)
	}
	read(t, filepath.Join(folder, "heard.wav"))
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
	if code, took := s.end(); code != 0 || took > 30*time.Second || !strings.Contains(s.log.String(), "not every bot could be notified") {
		t.Errorf("exit status %d after %v\n%s", code, took, s.log)
	}
}

// A bot that checks the tokens on its notifications learns whose they are, and for whom.
func TestTheIssuerAndTheAudiencesOfTokensArePrinted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it ends after its notifications
	args := []string{"serve", "-dev", "-addr", "127.0.0.1:0", "-token", "demo", "-token", "other="}
	var stdout, stderr bytes.Buffer
	if code := ivr.Run(ctx, args, &stdout, &stderr); code != 0 {
		t.Fatalf("exit status %d\n%s", code, &stderr)
	}
	_, got, _ := strings.Cut(stdout.String(), "/dev/issuer\n")
	lines := strings.SplitAfter(got, "\n")
	for i, name := range []string{"demo", "dev", "other"} {
		want := "Those to the application " + name + " have the audience " + service.Application(name).ID + "\n"
		if len(lines) < 4 || lines[i] != want || lines[3] != "\n" {
			t.Errorf("got %q, want %q in line %d of 3", got, want, i)
		}
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
