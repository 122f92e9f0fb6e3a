// Command api writes the exported API of the repository's modules, one line for each name, so that
// a change of it shows in the diff of its commit:
//
//	go run ./tools/api . media          # compares api/ with the modules in . and media
//	go run ./tools/api -write . media   # writes api/ anew
//
// A file holds one package: api/queue.txt what is in queue, api/media-loader.txt what is in
// media/loader. Packages that nobody else can link, or is meant to, have none.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	root := flag.String("root", ".", "the `folder` of the repository")
	write := flag.Bool("write", false, "write the files, and do not compare")
	flag.Parse()
	if err := run(*root, *write, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "api:", err)
		os.Exit(1)
	}
}

// run writes or compares the API of the modules in dirs of root.
func run(root string, write bool, dirs []string) error {
	if len(dirs) == 0 {
		return errors.New("name the folders of the modules, such as . and media")
	}
	texts := map[string][]byte{}
	for _, dir := range dirs {
		if err := describe(filepath.Join(root, dir), texts); err != nil {
			return err
		}
	}
	folder := filepath.Join(root, "api")
	if write {
		return rewrite(folder, texts)
	}
	return compare(folder, texts)
}

// rewrite makes the folder hold these files and no others.
func rewrite(folder string, texts map[string][]byte) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	for name, text := range texts {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// compare reports how the files differ from the code.
func compare(folder string, texts map[string][]byte) error {
	var differ []string
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if texts[e.Name()] == nil {
			differ = append(differ, "- the whole of "+e.Name())
		}
	}
	for name, text := range texts {
		old, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		differ = append(differ, difference(lines(old), lines(text))...)
	}
	if differ == nil {
		return nil
	}
	slices.Sort(differ)
	return fmt.Errorf("the exported API has changed:\n%s\n"+
		"If that is meant: make api, and see VERSIONING.md", strings.Join(differ, "\n"))
}

func lines(text []byte) []string {
	return strings.Split(string(bytes.TrimSpace(text)), "\n")
}

// difference returns the lines of which one has more than the other.
func difference(old, now []string) (differ []string) {
	for _, l := range old {
		if l != "" && !slices.Contains(now, l) {
			differ = append(differ, "- "+l)
		}
	}
	for _, l := range now {
		if l != "" && !slices.Contains(old, l) {
			differ = append(differ, "+ "+l)
		}
	}
	return differ
}
