package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// repository is a clone whose bench/reference names its first commit. There is nothing in it that
// compiles.
func repository(t *testing.T) (root, first string) {
	t.Helper()
	for _, v := range []string{"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"} { // of a hook
		t.Setenv(v, "")
		os.Unsetenv(v)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	for _, who := range []string{"AUTHOR", "COMMITTER"} {
		t.Setenv("GIT_"+who+"_NAME", "Somebody")
		t.Setenv("GIT_"+who+"_EMAIL", "somebody@example.com")
	}
	root = t.TempDir()
	must(t, root, "init", "--quiet")
	must(t, root, "commit", "--quiet", "--allow-empty", "-m", "the first")
	first = must(t, root, "rev-parse", "HEAD")
	name(t, root, "# why\n"+first+"\n")
	must(t, root, "add", ".")
	must(t, root, "commit", "--quiet", "-m", "the second")
	return root, first
}

func must(t *testing.T, root string, args ...string) string {
	t.Helper()
	out, err := git(t.Context(), root, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// name writes the file that names the reference.
func name(t *testing.T, root, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, "bench"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "bench", "reference"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// perfcheck runs the command in root, and returns its exit status and what it said.
func perfcheck(ctx context.Context, t *testing.T, root string) (status int, said string) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	status = run(ctx, new(check), root, &out, &out)
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return status, out.String()
}

func wantStatus2(t *testing.T, root string, words ...string) {
	t.Helper()
	status, said := perfcheck(t.Context(), t, root)
	if status != cannotSay {
		t.Errorf("exit status %d, want %d", status, cannotSay)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			t.Errorf("it does not say %q:\n%s", w, said)
		}
	}
}

func TestAShallowCloneSaysHowToGetTheHistory(t *testing.T) {
	root, first := repository(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	must(t, root, "clone", "--quiet", "--depth=1", "file://"+root, shallow)
	wantStatus2(t, shallow, first, "shallow", "git fetch --unshallow")
	must(t, shallow, "fetch", "--quiet", "--unshallow")
	if title, err := findCommit(t.Context(), shallow, first); err != nil || !strings.Contains(title, "the first") {
		t.Errorf("with its history: %q, %v", title, err)
	}
}

func TestAMissingCommitIsNamed(t *testing.T) {
	root, _ := repository(t)
	missing := strings.Repeat("12", 20)
	name(t, root, missing)
	wantStatus2(t, root, missing, "git fetch origin "+missing)
}

func TestAFolderThatIsNoCloneSaysSo(t *testing.T) {
	root, first := repository(t)
	if err := os.RemoveAll(filepath.Join(root, ".git")); err != nil {
		t.Fatal(err)
	}
	wantStatus2(t, root, first, "not a git repository", "git clone")
}

func TestAMachineWithoutGitSaysSo(t *testing.T) {
	root, first := repository(t)
	t.Setenv("PATH", t.TempDir())
	wantStatus2(t, root, first, "git is not installed")
}

func TestTheReferenceIsOneFullHash(t *testing.T) {
	for text, want := range map[string]string{
		"":            "no commit",
		"# nothing\n": "no commit",
		"6bccc4f\n":   `"6bccc4f" is not the full hash`,
		strings.Repeat("1", 40) + "\n" + strings.Repeat("2", 40): "two commits",
	} {
		root := t.TempDir()
		name(t, root, text)
		wantStatus2(t, root, want, "bench/reference")
	}
	wantStatus2(t, t.TempDir(), "bench/reference", "root of the repository")
}

// Whatever happens between, the worktree goes: here nothing compiles.
func TestTheWorktreeIsRemoved(t *testing.T) {
	root, _ := repository(t)
	wantStatus2(t, root, "the reference", "go test -c ./bench")
	if list := must(t, root, "worktree", "list", "--porcelain"); strings.Count(list, "worktree ") != 1 {
		t.Errorf("worktrees are left:\n%s", list)
	}
}

// So it is after an interrupt.
func TestAnInterruptLeavesNothing(t *testing.T) {
	root, first := repository(t)
	ctx, interrupt := context.WithCancel(t.Context())
	dir := t.TempDir()
	tree, remove, err := checkOut(ctx, root, dir, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tree); err != nil {
		t.Fatal(err)
	}
	interrupt()
	remove()
	if _, err := os.Stat(tree); !os.IsNotExist(err) {
		t.Errorf("the folder is there: %v", err)
	}
	if list := must(t, root, "worktree", "list", "--porcelain"); strings.Count(list, "worktree ") != 1 {
		t.Errorf("worktrees are left:\n%s", list)
	}
	if status, said := perfcheck(ctx, t, root); status != cannotSay || !strings.Contains(said, "interrupted") {
		t.Errorf("exit status %d: %s", status, said)
	}
}

// The hooks of whoever runs it are none of its business.
func TestNoHookRuns(t *testing.T) {
	root, first := repository(t)
	hooks := t.TempDir()
	trace := filepath.Join(hooks, "ran")
	if err := os.WriteFile(filepath.Join(hooks, "post-checkout"),
		[]byte("#!/bin/sh\ntouch "+trace+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, root, "config", "core.hooksPath", hooks)
	_, remove, err := checkOut(t.Context(), root, t.TempDir(), first)
	if err != nil {
		t.Fatal(err)
	}
	remove()
	if _, err := os.Stat(trace); !os.IsNotExist(err) {
		t.Error("a hook ran")
	}
}
