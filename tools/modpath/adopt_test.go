//go:build adopt

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

const version = "v0.1.0"

// A copy of the repository gets a public path: everything compiles and tests pass there, each module
// by itself, and a program of somebody else's gets them by version from a module proxy, and no more than
// it is promised. The lines of the README that link the library today work too, and commands that read
// change nothing.
func TestTheRepositoryCanBeAdopted(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	repository := filepath.Join(dir, "ivrqueue")
	copyTracked(t, root, repository)
	t.Run("commands leave go.work.sum as it is", func(t *testing.T) { leaveSums(t, repository) })
	t.Run("the README links it", func(t *testing.T) { followReadme(t, dir, repository) })

	if err := run(os.Stdout, repository, version, false, []string{public}); err != nil {
		t.Fatal(err)
	}
	sh(t, repository, nil, "gofmt", "-l", ".")
	t.Run("the README links it there", func(t *testing.T) {
		again := filepath.Join(dir, "again") // the checkout is beside whoever links it
		if err := os.Mkdir(again, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(repository, filepath.Join(again, "ivrqueue")); err != nil {
			t.Fatal(err)
		}
		followReadme(t, again, repository)
	})
	proxy := filepath.Join(dir, "proxy")
	for _, m := range modules(t, repository) {
		// What compiles there works there, so the tests of some are enough: those of the engine, which
		// name paths of packages, of a module that depends on it, and of this one.
		does := []string{"list", "-export", "-test", "-f", "", "./..."} // compiles tests, and links nothing
		if m == "" || m == "media/" || m == "tools/modpath/" {
			does = []string{"test", "./..."}
		}
		if m != "tools/" { // it has no packages, only what builds the linter
			sh(t, filepath.Join(repository, m), []string{"GOWORK=off"}, "go", does...)
		}
		if !private(m) {
			publish(t, repository, m, proxy)
		}
	}
	t.Run("a module proxy serves it", func(t *testing.T) { getIt(t, filepath.Join(dir, "fresh"), proxy) })
	t.Run("the engine brings fsm and uuid", func(t *testing.T) { linkTheEngine(t, filepath.Join(dir, "engine"), proxy) })
}

// sh runs a command, and prints what it says if it fails.
func sh(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %s %s: %v\n%s", dir, name, strings.Join(args, " "), err, out)
	}
	if name == "gofmt" && len(out) > 0 {
		t.Errorf("not formatted:\n%s", out)
	}
	return string(out)
}

// copyTracked copies what git tracks, and makes a repository of it.
func copyTracked(t *testing.T, root, to string) {
	t.Helper()
	names, err := tracked(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(root, name))
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	sh(t, to, nil, "git", "init", "-q")
	sh(t, to, nil, "git", "add", "-A")
	sh(t, to, nil, "git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-qm", "a copy")
}

// modules returns the folders of the modules of a repository, as a tag begins with them.
func modules(t *testing.T, root string) (dirs []string) {
	t.Helper()
	names, err := tracked(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if dir, base := filepath.Split(name); base == "go.mod" {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// publish puts a module into a folder that is laid out as a module proxy.
func publish(t *testing.T, root, dir, proxy string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	m := module.Version{Path: modfile.ModulePath(text), Version: version}
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	if err := zip.CreateFromDir(&archive, m, filepath.Join(root, dir)); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(proxy, escaped, "@v")
	if err := os.MkdirAll(at, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"list":            []byte(version + "\n"),
		version + ".info": []byte(`{"Version":"` + version + `"}`),
		version + ".mod":  text,
		version + ".zip":  archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(at, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// getIt is what somebody else does.
func getIt(t *testing.T, dir, proxy string) {
	env := fromProxy(t, proxy, "-mod=mod")
	writeProgram(t, dir, public, true)
	sh(t, dir, env, "go", "mod", "init", "example.org/fresh")
	sh(t, dir, env, "go", "get", public+"/queue@"+version, public+"/media@"+version)
	if got := sh(t, dir, env, "go", "run", "."); got != "cancelled (400/8508)\n" {
		t.Errorf("got %q", got)
	}
}

// linkTheEngine looks at what somebody gets who links the engine alone: fsm and uuid. Of goleak, which
// the tests of its packages use, go.mod and the vendored code have nothing; the module list names it, and
// go.sum has its two sums, since go mod tidy reads the tests of what is imported.
func linkTheEngine(t *testing.T, dir, proxy string) {
	env := fromProxy(t, proxy, "")
	writeProgram(t, dir, public, false)
	sh(t, dir, env, "go", "mod", "init", "example.org/engine")
	sh(t, dir, env, "go", "mod", "edit", "-require="+public+"@"+version)
	sh(t, dir, env, "go", "mod", "tidy")
	const fsm, id, leak = "github.com/looplab/fsm v1.0.3", "github.com/google/uuid v1.6.0", "go.uber.org/goleak v1.3.0"
	ours := public + " " + version
	for _, test := range []struct {
		command string
		want    []string
	}{
		{"go list -m -f '{{if not .Main}}{{.Path}} {{.Version}}{{end}}' all", []string{ours, id, fsm, leak}},
		{"go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}' . | sort -u", []string{ours, id, fsm}},
		{"sed -nE 's,^(require)?[[:space:]]+([^ ]+ v[^ ]+).*,\\2,p' go.mod | sort", []string{ours, id, fsm}},
		{"sed -E 's,(/go.mod)? h1:.*,,' go.sum | uniq -c | sed -E 's,^ +2 ,,'", []string{ours, id, fsm, leak}},
		{"go mod vendor; sed -n 's,^# ,,p' vendor/modules.txt", []string{ours, id, fsm}},
	} {
		got := strings.Split(strings.TrimSpace(sh(t, dir, env, "sh", "-ec", test.command)), "\n")
		got = slices.DeleteFunc(got, func(line string) bool { return line == "" })
		if !slices.Equal(got, test.want) {
			t.Errorf("%s:\n%q, want\n%q", test.command, got, test.want)
		}
	}
}

// leaveSums runs what people run in the repository: it has all sums that are asked for.
func leaveSums(t *testing.T, dir string) {
	for _, command := range []string{
		"go doc ./queue", "go doc ./sip", "go list -m all", "go list -m -json all", "go mod graph",
		"go mod verify", "go mod why -m all", "go vet ./tone", "go test -run ^$ ./tone", "go list -deps -test work",
	} {
		sh(t, dir, []string{"GOWORK=", goFlags()}, "sh", "-c", command)
		if changed := sh(t, dir, nil, "git", "status", "--porcelain"); changed != "" {
			t.Fatalf("%s changes\n%s%s", command, changed, sh(t, dir, nil, "git", "diff", "-U0"))
		}
	}
}

// goFlags are the caller's, but for those about modules, and some more.
func goFlags(more ...string) string {
	flags := slices.DeleteFunc(strings.Fields(os.Getenv("GOFLAGS")), func(f string) bool {
		return strings.HasPrefix(strings.TrimLeft(f, "-"), "mod")
	})
	return "GOFLAGS=" + strings.Join(append(flags, more...), " ")
}

// fromProxy is the environment in which our modules come from a folder. They have a module cache of their
// own, since the usual one may have this version from an earlier run; others come from that, if it has
// them.
func fromProxy(t *testing.T, proxy, flags string) []string {
	t.Helper()
	usual := strings.Fields(sh(t, ".", nil, "go", "env", "GOMODCACHE", "GOPROXY"))
	return []string{
		"GOWORK=off", goFlags("-modcacherw", flags), "GONOSUMDB=*",
		"GOMODCACHE=" + filepath.Join(proxy, "cache"),
		"GOPROXY=file://" + proxy + ",file://" + filepath.Join(usual[0], "cache/download") + "," + usual[1],
	}
}

// writeProgram writes a program that links the library, and the module media if it is to.
func writeProgram(t *testing.T, dir, path string, media bool) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	text := `package main

import (
	"context"
	"fmt"

	"PATH/media"
	"PATH/operation"
	"PATH/queue"
)

var _ = media.Samples

func main() {
	q, err := queue.New("call-1", queue.Blocking(
		func(ctx context.Context, _ queue.Active) (operation.Result, error) {
			<-ctx.Done()
			return operation.Result{}, nil
		}))
	if err != nil {
		panic(err)
	}
	prompt := operation.Prompt{URI: "file:hello.wav"}
	op, err := q.Enqueue(context.Background(), &operation.PlayPrompt{Prompts: []operation.Prompt{prompt}})
	if err != nil {
		panic(err)
	}
	q.CancelAll()
	result, _ := op.Result()
	fmt.Println(result.Reason)
	q.Close(nil)
	<-q.Done()
}
`
	if !media {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\t\"PATH/media\"\n", ""), "var _ = media.Samples\n", "")
	}
	text = strings.ReplaceAll(text, "PATH", path)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// followReadme pastes the sample of a README into a program, links the library in each of the ways that
// it names, and runs it.
func followReadme(t *testing.T, dir, root string) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(text), "<!-- sample:begin -->\n```go\n")
	program, _, _ = strings.Cut(program, "```\n<!-- sample:end -->")
	_, block, _ := strings.Cut(string(text), "<!-- link:begin -->\n```sh\n")
	block, _, _ = strings.Cut(block, "\n```\n<!-- link:end -->")
	ways := strings.Split(block, "\n")
	if len(ways) != 3 {
		t.Fatalf("the README has %d ways to link it, want 3", len(ways))
	}
	for i, way := range ways {
		t.Run(way, func(t *testing.T) {
			mine := filepath.Join(dir, "mine-"+strconv.Itoa(i))
			if err := os.MkdirAll(mine, 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(mine, "main.go"), []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			sh(t, mine, []string{"GOWORK=off"}, "go", "mod", "init", "example.org/mine")
			sh(t, mine, []string{"GOWORK="}, "sh", "-ec", way)
			const want = "playPrompt failed cancelled (400/8508)\n"
			if got := sh(t, mine, []string{"GOWORK="}, "go", "run", "."); got != want+want {
				t.Errorf("got %q", got)
			}
		})
	}
}
