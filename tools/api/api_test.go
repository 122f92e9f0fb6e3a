package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// inModule makes a repository with one package, describes it, and changes it.
func inModule(t *testing.T, before, after string) error {
	t.Helper()
	root := t.TempDir()
	t.Setenv("GOWORK", "off")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module example.org/ivrqueue\n\ngo 1.26\n")
	write("internal/x/x.go", "package x\n\nvar Hidden int\n")
	write("tones/a.go", "package tones\n\n"+before)
	if err := run(root, true, []string{"."}); err != nil {
		t.Fatal(err)
	}
	if err := run(root, false, []string{"."}); err != nil {
		t.Errorf("unchanged: %v", err)
	}
	write("tones/a.go", "package tones\n\n"+after)
	return run(root, false, []string{"."})
}

// Each kind of a change of the exported API is named by its line, and nothing else is a change.
func TestAChangeIsNamed(t *testing.T) {
	for _, test := range []struct {
		before, after string
		want          []string
	}{
		{"func F(n int) {}", "func F(n string) {}", []string{"- tones: func F(n int)", "+ tones: func F(n string)"}},
		{"const C = 1", "const C = 2", []string{"- tones: const C untyped int = 1", "+ tones: const C untyped int = 2"}},
		{"type S struct{ A, b int }", "type S struct{ A int }", nil},
		{"type S struct{ A int }", "type S struct{ A, B int }", []string{"+ tones: type S struct, B int"}},
		{"type I interface{ M() }", "type I interface{ M(); N() error }", []string{"+ tones: type I interface, N() error"}},
		{"type T int", "type T int; func (t T) M() {}", []string{"+ tones: func (T) M()"}},
		{"type T int; func (t T) M() {}", "type T int; func (t *T) M() {}", []string{"- tones: func (T) M()", "+ tones: func (*T) M()"}},
		{"type b struct{}; type T struct{ b }", "type b struct{}; func (b) M() {}; type T struct{ b }", []string{"+ tones: func (T) M()"}},
		{"var V, w int", "var V int", nil},
		{"var V int", "func f() {}", []string{"- tones: var V int"}},
	} {
		err := inModule(t, test.before, test.after)
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: got %v, want %q", test.after, err, test.want)
			continue
		}
		var got []string
		if err != nil {
			for l := range strings.Lines(err.Error()) {
				if l = strings.TrimSpace(l); strings.HasPrefix(l, "- ") || strings.HasPrefix(l, "+ ") {
					got = append(got, l)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(test.want)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q", test.after, got, test.want)
		}
	}
}

func TestWhatCannotBeDescribedIsNamed(t *testing.T) {
	for name, dirs := range map[string][]string{
		"name the folders": nil, "no such file": {"nowhere"},
	} {
		if err := run(t.TempDir(), false, dirs); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: got %v, want %q", dirs, err, name)
		}
	}
}
