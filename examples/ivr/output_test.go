package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is in the way of the files is an error before the call, for each command.
func TestAFolderThatCannotBeUsedIsAnErrorBeforeTheCall(t *testing.T) {
	t.Parallel()
	file := tune(t, "file.wav", 1)
	closed := t.TempDir()
	if os.Geteuid() == 0 {
		closed = "/proc/self" // nobody may write there
	} else if err := os.Chmod(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	taken := t.TempDir()
	if err := os.MkdirAll(filepath.Join(taken, "call.svg", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ out, stderr string }{
		"a file in the way":                  {file, "ivr: -out: mkdir " + file + ": not a directory, must be a folder, or nothing yet\n"},
		"a file on the way":                  {filepath.Join(file, "x"), "ivr: -out: mkdir " + file + ": not a directory, must be a folder, or nothing yet\n"},
		"nothing can be written":             {closed, "ivr: -out: nothing can be written to " + closed + ": open "},
		"a folder in the way of the picture": {taken, "ivr: -out: " + filepath.Join(taken, "call.svg") + " is a folder, must be a file, or nothing yet\n"},
		"a name that is too long":            {strings.Repeat("x", 300), "ivr: -out: mkdir "},
		"a name with a zero":                 {"\x00", "ivr: -out: mkdir "},
	} {
		for _, command := range []string{"demo", "call", "pin"} {
			o := runArgs(t, command, "-out", test.out)
			if o.code != 1 || !strings.HasPrefix(o.stderr, test.stderr) || o.stdout != "" {
				t.Errorf("%s, %s: got %d, %q, %q, want %q", name, command, o.code, o.stderr, o.stdout, test.stderr)
			}
		}
	}
}

// The files of the last call make room, whatever they are; those of others stay.
func TestAFolderMayBeUsedAgain(t *testing.T) {
	t.Parallel()
	folder, other := t.TempDir(), tune(t, "other.wav", 1)
	mine := filepath.Join(folder, "mine.wav")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "recording.wav"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(folder, "heard.wav")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o := runArgs(t, "pin", "-out", folder)
		o.wantAsScripted(t)
	}
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if got := strings.ReplaceAll(strings.Join(names, " "), folder+"/", ""); err != nil || got != "call.svg heard.wav mine.wav said.wav" {
		t.Errorf("got %q, %v", got, err)
	}
	if got := read(t, other); len(got) != 1 {
		t.Errorf("another file has %d samples now", len(got))
	}
}
