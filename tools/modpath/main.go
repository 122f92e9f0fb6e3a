// Command modpath gives all modules of this repository, their imports and their docs another path,
// so that they can be published there and linked with go get:
//
//	go run ./tools/modpath -version v0.1.0 example.com/voice/ivrqueue
//
// It changes the files that git tracks, in place. Run again, it moves them from there to another
// path. Each module is tagged for itself then: v0.1.0, media/v0.1.0 and so on; -tags lists them.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

func main() {
	root := flag.String("root", ".", "the `folder` of the repository")
	version := flag.String("version", "v0.1.0",
		"the `version` that the modules require of one another")
	tags := flag.Bool("tags", false, "change nothing, and list the tags of the version")
	flag.Usage = func() {
		_, _ = fmt.Fprintf(flag.CommandLine.Output(),
			"modpath gives the modules of this repository another path:\n\n"+
				"  go run ./tools/modpath [flags] HOST/PATH\n\n")
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(os.Stdout, *root, *version, *tags, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "modpath:", err)
		os.Exit(1)
	}
}

// run does what the command line asks for.
func run(w io.Writer, root, version string, tags bool, args []string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("version %q: want one such as v0.1.0", version)
	}
	if tags {
		return list(w, root, version)
	}
	if len(args) != 1 {
		return fmt.Errorf("%d paths: want one, such as example.com/voice/ivrqueue", len(args))
	}
	if err := checkPath(args[0], version); err != nil {
		return err
	}
	changed, err := rename(root, args[0], version)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%d files have the path %s now\n", changed, args[0])
	return err
}

// checkPath reports what is wrong with a path that others are to get the modules by.
func checkPath(to, version string) error {
	if err := module.CheckPath(to); err != nil {
		return err
	}
	_, major, _ := module.SplitPathVersion(to)
	if major != "" {
		return fmt.Errorf("path %q: want it without the major version %s", to, major)
	}
	if semver.Major(version) > "v1" {
		return fmt.Errorf("version %s: want v0 or v1, since the path names no major version", version)
	}
	return nil
}

// rename changes the files of the repository. All are read, and renamed in memory, before the first
// one is written.
func rename(root, to, version string) (changed int, err error) {
	from, err := modulePath(root)
	if err != nil {
		return 0, err
	}
	names, err := tracked(root)
	if err != nil {
		return 0, err
	}
	r := newRenaming(from, to, version)
	texts := map[string][]byte{}
	for _, name := range names {
		full := filepath.Join(root, name)
		if info, err := os.Lstat(full); err != nil || !info.Mode().IsRegular() {
			continue // deleted and not committed yet, or a link
		}
		old, err := os.ReadFile(full)
		if err != nil {
			return 0, err
		}
		text, err := r.file(name, old)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(old, text) {
			texts[full] = text
		}
	}
	for full, text := range texts {
		info, err := os.Stat(full)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(full, text, info.Mode().Perm()); err != nil {
			return 0, err
		}
	}
	return len(texts), nil
}

// list prints the tags of a version: one for each module that others may require.
func list(w io.Writer, root, version string) error {
	names, err := tracked(root)
	if err != nil {
		return err
	}
	for _, name := range names {
		dir, base := filepath.Split(name)
		if base != "go.mod" || private(dir) {
			continue
		}
		if _, err := fmt.Fprintln(w, dir+version); err != nil {
			return err
		}
	}
	return nil
}

// private reports whether a module is for this repository alone.
func private(dir string) bool {
	for _, own := range []string{"bench/", "examples/", "tools/"} {
		if strings.HasPrefix(dir, own) {
			return true
		}
	}
	return false
}

// modulePath returns the path of the module at root.
func modulePath(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("%w: run it from the root of the repository", err)
	}
	if path := modfile.ModulePath(text); path != "" {
		return path, nil
	}
	return "", errors.New("go.mod names no module")
}

// tracked returns the names of the files that git tracks, or would.
func tracked(root string) ([]string, error) {
	git := exec.CommandContext(context.Background(),
		"git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	git.Dir = root
	out, err := git.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w: want a checkout of the repository", err)
	}
	return strings.Split(strings.TrimRight(string(out), "\x00"), "\x00"), nil
}
