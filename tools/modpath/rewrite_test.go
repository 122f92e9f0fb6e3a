package main

import (
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const public = "example.com/voice/ivrqueue"

// Import paths change wherever they stand; the project's name does not. It is another one here, so that
// these tests pass in a copy that was renamed.
func TestWhatNamesAPackageIsRenamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, old, want string }{
		{"a.go", "import \"oldqueue/queue\"\n", "import \"" + public + "/queue\"\n"},
		{
			"a.go", "var m = map[string]int{\n\t\"fmt\":            1,\n\t\"oldqueue/queue\": 2,\n}\n",
			"var m = map[string]int{\n\t\"fmt\":                              1,\n\t\"" + public + "/queue\": 2,\n}\n",
		},
		{"a.go", "var _ = f(\"oldqueue/\")\n", "var _ = f(\"" + public + "/\")\n"},
		{"a.txt", `"oldqueue/queue.(*Queue).accept"`, `"` + public + `/queue.(*Queue).accept"`},
		{"a.go", `"User-Agent": {"oldqueue"}`, `"User-Agent": {"oldqueue"}`},
		{"a.go", `os.MkdirTemp("", "oldqueue-bench-")`, `os.MkdirTemp("", "oldqueue-bench-")`},
		{"a.md", "# oldqueue\n\n`oldqueue/queue`", "# oldqueue\n\n`" + public + "/queue`"},
		{
			"a.md", "go mod edit -require=oldqueue@v0.0.0 -replace=oldqueue=../oldqueue",
			"go mod edit -require=" + public + "@v0.0.0 -replace=" + public + "=../oldqueue",
		},
		{"a.md", "cd ../oldqueue/queue", "cd ../oldqueue/queue"},
		{"a.md", "my.oldqueue/queue", "my.oldqueue/queue"},
		{".golangci.yml", "      module-path: oldqueue\n", "      module-path: " + public + "\n"},
		{".golangci.yml", "      local-prefixes: [oldqueue]\n", "      local-prefixes: [" + public + "]\n"},
		{".golangci.yml", "            - oldqueue/tone\n", "            - " + public + "/tone\n"},
		{"a.png", "\x00 oldqueue/queue", "\x00 oldqueue/queue"},
		{
			"media/go.mod",
			"module oldqueue/media\n\ngo 1.26\n\nrequire (\n\toldqueue v0.0.0\n\tz.org/oldqueue v1.0.0\n)\n\nreplace oldqueue => ../\n",
			"module " + public + "/media\n\ngo 1.26\n\nrequire (\n\t" + public + " v0.3.0\n\tz.org/oldqueue v1.0.0\n)\n\n" +
				"replace " + public + " => ../\n",
		},
		{
			"go.mod", "module oldqueue\n\ngo 1.26\n\nrequire github.com/google/uuid v1.6.0\n",
			"module " + public + "\n\ngo 1.26\n\nrequire github.com/google/uuid v1.6.0\n",
		},
	} {
		got, err := newRenaming("oldqueue", public, "v0.3.0").file(test.file, []byte(test.old))
		if err != nil || string(got) != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.old, got, err, test.want)
		}
		if strings.Contains(test.old, "\x00") {
			continue
		}
		again, err := newRenaming(public, "other.org/q", "v0.3.0").file(test.file, got)
		want := strings.ReplaceAll(test.want, public, "other.org/q")
		if formatted, err := format.Source([]byte(want)); err == nil && filepath.Ext(test.file) == ".go" {
			want = string(formatted)
		}
		if err != nil || string(again) != want {
			t.Errorf("%s: moved again: got %q, %v, want %q", test.old, again, err, want)
		}
	}
}

func TestBadInputIsNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		version string
		args    []string
		want    string
	}{
		{"v0.1.0", nil, "0 paths"},
		{"v0.1.0", []string{"a.b/c", "d"}, "2 paths"},
		{"v0.1.0", []string{""}, "malformed module path"},
		{"v0.1.0", []string{"oldqueue"}, "missing dot in first path element"},
		{"v0.1.0", []string{"https://example.com/q"}, "malformed module path"},
		{"v0.1.0", []string{"example.com/a b"}, "malformed module path"},
		{"v0.1.0", []string{"example.com/q/v2"}, "without the major version"},
		{"v2.0.0", []string{"example.com/q"}, "want v0 or v1"},
		{"0.1.0", []string{"example.com/q"}, `version "0.1.0"`},
		{"v1", []string{"example.com/q"}, `version "v1"`},
		{"", []string{"example.com/q"}, `version ""`},
		{"v0.1.0", []string{"example.com/q"}, "run it from the root"},
	} {
		err := run(new(strings.Builder), t.TempDir(), test.version, false, test.args)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q %q: got %v, want %q", test.version, test.args, err, test.want)
		}
	}
}

// One file that cannot be read as what it is, and none has changed.
func TestNothingIsHalfRenamed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git := exec.CommandContext(t.Context(), "git", "init", "-q", root)
	if out, err := git.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write("a.go", `import "oldqueue/queue"`)
	write("go.mod", "module oldqueue\n")
	write("z/go.mod", "modul oldqueue/z\n")
	err := run(new(strings.Builder), root, "v0.1.0", false, []string{public})
	text, readErr := os.ReadFile(filepath.Join(root, "a.go"))
	if err == nil || readErr != nil || string(text) != `import "oldqueue/queue"` {
		t.Errorf("got %v; %s, %v", err, text, readErr)
	}
	write("z/go.mod", "module oldqueue/z\n")
	write("bench/go.mod", "module oldqueue/bench\n")
	var out strings.Builder
	if err := run(&out, root, "v0.1.0", false, []string{public}); err != nil {
		t.Fatal(err)
	}
	if err := run(&out, root, "v0.1.0", true, nil); err != nil {
		t.Fatal(err)
	}
	want := "4 files have the path " + public + " now\nv0.1.0\nz/v0.1.0\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
