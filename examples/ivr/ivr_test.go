package main_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ivr "ivrqueue/examples/ivr"
	"ivrqueue/media"
)

var rewrite = flag.Bool("rewrite", false, "write the timelines of testdata anew")

// outcome is what a run of the program left.
type outcome struct {
	code           int
	stdout, stderr string
	folder         string
	took           time.Duration
}

// run runs the command call in a bubble, where it takes no time.
func run(t *testing.T, args ...string) outcome {
	t.Helper()
	return runCommand(t, "call", args...)
}

// runCommand runs a command in a bubble.
func runCommand(t *testing.T, command string, args ...string) (o outcome) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "out")
	synctest.Test(t, func(t *testing.T) {
		o = runHere(t.Context(), folder, command, args...)
	})
	return o
}

// runHere runs a command in the bubble that it is in.
func runHere(ctx context.Context, folder, command string, args ...string) outcome {
	return runWith(ctx, folder, append([]string{command, "-out", folder}, args...))
}

// runArgs runs a command in a bubble with exactly these arguments; demo is the program without one.
func runArgs(t *testing.T, args ...string) (o outcome) {
	t.Helper()
	if args[0] == "demo" {
		args = args[1:]
	}
	synctest.Test(t, func(t *testing.T) { o = runWith(t.Context(), "", args) })
	return o
}

func runWith(ctx context.Context, folder string, args []string) outcome {
	var stdout, stderr bytes.Buffer
	began := time.Now()
	code := ivr.Run(ctx, args, &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String(), folder, time.Since(began)}
}

func (o outcome) wantAsScripted(t *testing.T) {
	t.Helper()
	if o.code != 0 || o.stderr != "" {
		t.Fatalf("exit status %d, %s\n%s", o.code, o.stderr, o.stdout)
	}
}

func read(t *testing.T, path string) []int16 {
	t.Helper()
	samples, err := media.LoadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

func prompt(t *testing.T, name string) []int16 {
	t.Helper()
	return read(t, filepath.Join("prompts", name+".wav"))
}

// recording returns what the one recording in the folder holds.
func (o outcome) recording(t *testing.T) []int16 {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(o.folder, "recording.wav"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("recordings: %v, %v, want one", paths, err)
	}
	return read(t, paths[0])
}

func TestTheScriptedCallGoesAsItsTimelineSays(t *testing.T) {
	t.Parallel()
	o := run(t)
	o.wantAsScripted(t)
	if o.took >= 20*time.Second {
		t.Errorf("it takes %v, want under 20 s", o.took)
	}
	got := strings.ReplaceAll(o.stdout, o.folder, "DIR")
	for _, mask := range []struct{ what, with string }{
		{`(?m)^ *\d+\.\d{3}`, "   T.TTT"},
		{`\d+\.\d{2} s`, "T.TT s"},
		{`\d+\.\d ms before`, "T.T ms before"},
		{`[0-9a-f]{8}-[0-9a-f-]{27}`, "ID"},
	} {
		got = regexp.MustCompile(mask.what).ReplaceAllString(got, mask.with)
	}
	// The engine and the bot get the key that ends the record at once: either may be the first.
	got = regexp.MustCompile(`(?m)^(.* record +ends .*\n)?(.* hears # .*) while \w+ runs +(pound\n)(.* record +ends .*\n)?`).
		ReplaceAllString(got, "$2 while record runs         $3$1$4")
	wantGolden(t, "timeline.golden", got)
	wantPicture(t, o.folder, 8, []string{"cancel", "barge-in"}, []string{"1", "2", "3", "#"})
}

// wantGolden compares with a file of testdata, or writes it. What is compared is what the functions
// make of both.
func wantGolden(t *testing.T, name, got string, of ...func(string) string) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	same := len(of) > 0 || got == string(want)
	for _, f := range of {
		same = same && f(got) == f(string(want))
	}
	if !same {
		t.Errorf("the timeline differs from %s (write it anew with -rewrite); got:\n%s", golden, got)
	}
}

func TestABadFileIsNamedBeforeTheCall(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-prompt", "-caller"} {
		bad := filepath.Join(t.TempDir(), "bad.wav")
		if err := os.WriteFile(bad, []byte("not a WAV file at all"), 0o600); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string]string{
			bad:           `badFormat (400/8535): begins with "not a WAV fi", must be a WAV file (RIFF … WAVE)`,
			"nowhere.wav": "notDownloadable (400/8536): no such file or directory",
			t.TempDir():   "notDownloadable (400/8536): is a directory",
		} {
			o := run(t, flag, path)
			if want = "ivr: media: " + path + ": " + want + "\n"; o.code != 1 || o.stderr != want || o.stdout != "" {
				t.Errorf("%s %s: got %d, %q, %q, want 1, %q", flag, path, o.code, o.stderr, o.stdout, want)
			}
		}
	}
}

func TestAnInterruptEndsTheCallProperly(t *testing.T) {
	t.Parallel()
	for command, reason := range map[string]string{
		"call": "400/8528 callEnded",
		"pin":  "400/8508 cancelled", // by the dialog
	} {
		for _, after := range []time.Duration{0, 500 * time.Millisecond, 7 * time.Second, 12 * time.Second} {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				time.AfterFunc(after, func() { cancel(errors.New("interrupt")) })
				time.Sleep(time.Nanosecond) // the interrupt comes first
				o := runHere(ctx, t.TempDir(), command)
				if o.code != 1 || !strings.HasSuffix(o.stderr, "interrupt\n") || o.took > after {
					t.Errorf("%s, after %v: exit status %d, %q, after %v", command, after, o.code, o.stderr, o.took)
				}
				if after > 0 {
					read(t, filepath.Join(o.folder, "heard.wav"))
				}
				if playing := command == "call" || after == 500*time.Millisecond; after > 0 && playing && !strings.Contains(o.stdout, reason) {
					t.Errorf("%s, after %v: the timeline has no %q:\n%s", command, after, reason, o.stdout)
				}
			})
		}
	}
}

func TestTheFlagsAreExplained(t *testing.T) {
	t.Parallel()
	const see = "Run it with -h to learn its flags.\n"
	for _, test := range []struct {
		args   string
		code   int
		stdout []string
		stderr string
	}{
		{"-h", 0, []string{"Usage: go run ./examples/ivr [flags]", "-prompt FILE", "-caller FILE", "-out DIR", "-json", "./ivr-demo"}, ""},
		{"call -h", 0, []string{"Usage: go run ./examples/ivr [flags]", "-prompt FILE", "-caller FILE", "-out DIR"}, ""},
		{"pin -h", 0, []string{"Usage: go run ./examples/ivr [flags]", "go run ./examples/ivr pin", "-out DIR"}, ""},
		{"serve -h", 0, []string{
			"Usage: go run ./examples/ivr serve [flags]", "-addr HOST:PORT", "-token NAME=ROLE,ROLE", "-oidc-issuer URL",
			"-oidc-audience AUDIENCE", "-prompts DIR", "-caller FILE", "-dev", "/dev/calls/ID/tones", "hangs up",
		}, ""},
		{"-nosuch", 2, nil, "flag provided but not defined: -nosuch\n" + see},
		{"file.wav", 2, nil, "unexpected argument \"file.wav\"\n" + see},
		{"pin -prompt x.wav", 2, nil, "flag provided but not defined: -prompt\n" + see},
		{"serve", 2, nil, "nobody could use it: give -token, -oidc-issuer or -dev\n" + see},
		{"serve -token =Role", 2, nil, "invalid value \"=Role\" for flag -token: must be as in NAME=ROLE,ROLE\n" + see},
		{"serve -dev -oidc-issuer https://x", 2, nil, "-oidc-issuer and -oidc-audience belong together\n" + see},
		{"serve -dev now", 2, nil, "unexpected argument \"now\"\n" + see},
		{"serve -dev -prompts nowhere", 1, nil, "ivr: loader: open"},
		{"serve -dev -caller nowhere.wav", 1, nil, "ivr: media: nowhere.wav: notDownloadable"},
		{"serve -dev -addr nowhere.invalid:1", 1, nil, "ivr: listen tcp"},
	} {
		var stdout, stderr bytes.Buffer
		code := ivr.Run(t.Context(), strings.Fields(test.args), &stdout, &stderr)
		got := stderr.String()
		if test.code == 1 { // behind what is logged
			got = got[max(0, strings.Index(got, "ivr: ")):]
		}
		if code != test.code || !strings.HasPrefix(got, test.stderr) || test.code == 2 && got != test.stderr || test.stdout == nil && stdout.Len() > 0 {
			t.Errorf("%v: got %d, %q, %q", test.args, code, stdout.String(), got)
		}
		for _, want := range test.stdout {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%v: %q is not in\n%s", test.args, want, stdout.String())
			}
		}
	}
}

func TestWithoutAWriterTheExitStatusIsOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stderr bytes.Buffer
		code := ivr.Run(t.Context(), []string{"call", "-out", t.TempDir()}, brokenPipe{}, &stderr)
		if want := "ivr: broken pipe\n"; code != 1 || stderr.String() != want {
			t.Errorf("got %d, %q, want 1, %q", code, stderr.String(), want)
		}
	})
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }
