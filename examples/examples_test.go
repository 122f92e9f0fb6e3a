package examples_test

import (
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// longest is how many lines a main.go may have, to be read in a minute.
const longest = 70

// What a main.go says at its top is so: how it is run, and what it prints, which its test compares
// with what it does print. It is short, stands on the library alone, and is in the README.
func TestAMainIsReadInAMinute(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	mains, err := filepath.Glob("*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range mains {
		name := path.Dir(filepath.ToSlash(file))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := "go run ./examples/" + name
			if !strings.Contains(string(readme), "`"+command+"`") {
				t.Errorf("README.md has no %q", command)
			}
			if name == "ivr" {
				return // a service, and not one task
			}
			checkMain(t, file, command)
		})
	}
}

func checkMain(t *testing.T, file, command string) {
	t.Helper()
	files := token.NewFileSet()
	main, err := parser.ParseFile(files, file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	if n := files.File(main.Pos()).LineCount() - 1; n > longest {
		t.Errorf("%d lines, want at most %d", n, longest)
	}
	top := main.Doc.Text()
	if !strings.Contains(top, "\n\t"+command+"\n") {
		t.Errorf("the top does not say %q", command)
	}
	_, prints, ok := strings.Cut(top, "It prints")
	if !ok {
		t.Fatal("the top does not say what it prints")
	}
	test, err := parser.ParseFile(files, filepath.Join(filepath.Dir(file), "main_test.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	examples := doc.Examples(test)
	if len(examples) != 1 {
		t.Fatalf("%d examples, want 1", len(examples))
	}
	if got, want := indented(prints), strings.TrimSpace(examples[0].Output); got != want {
		t.Errorf("the top says that it prints\n%s\nits test that it prints\n%s", got, want)
	}
	for _, i := range main.Imports {
		if strings.Contains(i.Path.Value, "queuetest") {
			t.Errorf("imports %s", i.Path.Value)
		}
	}
}

// indented returns the lines of a comment that are shown as they stand.
func indented(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if shown, ok := strings.CutPrefix(line, "\t"); ok {
			lines = append(lines, shown)
		}
	}
	return strings.TrimSpace(strings.Join(lines, ""))
}
