package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// referenceFile names the commit that today's code is compared with.
const referenceFile = "bench/reference"

var fullHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// readReference returns the one hash that the file holds. Lines that begin with # are comments.
func readReference(root string) (hash string, err error) {
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(referenceFile)))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case !fullHash.MatchString(line):
			return "", fmt.Errorf("%s: %q is not the full hash of a commit", referenceFile, line)
		case hash != "":
			return "", fmt.Errorf("%s: two commits, want one: %s, %s", referenceFile, hash, line)
		default:
			hash = line
		}
	}
	if hash == "" {
		return "", fmt.Errorf("%s: no commit", referenceFile)
	}
	return hash, nil
}

// findCommit returns in words which commit the hash names, or an error that says what is missing
// and how to get it.
func findCommit(ctx context.Context, root, hash string) (title string, err error) {
	if _, err := exec.LookPath("git"); err != nil {
		return "", fmt.Errorf("git is not installed: it is needed to check out commit %s, "+
			"which %s names", hash, referenceFile)
	}
	shallow, err := git(ctx, root, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return "", fmt.Errorf("%w\nthis has to be a git clone: commit %s, which %s names, "+
			"is built and run beside today's code", err, hash, referenceFile)
	}
	title, err = git(ctx, root, "log", "-1", "--format=%h %ad, %s", "--date=short", hash)
	switch {
	case err == nil:
		return title, nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case shallow == "true":
		return "", fmt.Errorf("commit %s, which %s names, is missing: this clone is shallow. "+
			"Get its history with\n\n\tgit fetch --unshallow", hash, referenceFile)
	default:
		return "", fmt.Errorf("commit %s, which %s names, is missing. Get it with\n\n"+
			"\tgit fetch origin %s", hash, referenceFile, hash)
	}
}

// checkOut makes a worktree of the commit in the folder. It is removed with remove, also after an
// error. If the process is killed before that, git worktree prune forgets it once the folder is
// gone.
func checkOut(ctx context.Context, root, dir, hash string) (tree string, remove func(), err error) {
	tree = filepath.Join(dir, "reference")
	remove = func() {
		// The context may have ended: that is no reason to leave something behind.
		_, _ = git(context.WithoutCancel(ctx), root, "worktree", "remove", "--force", tree)
	}
	_, err = git(ctx, root, "-c", "core.hooksPath="+os.DevNull, "-c", "advice.detachedHead=false",
		"worktree", "add", "--detach", tree, hash)
	return tree, remove, err
}

// git runs a command of it and returns what it printed.
func git(ctx context.Context, root string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "git", args...)
	c.Dir = root
	out, err := c.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		err = fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
