package main

import (
	"bytes"
	"fmt"
	"go/format"
	"path"
	"regexp"
	"strings"

	"golang.org/x/mod/modfile"
)

// renaming gives modules another path.
type renaming struct {
	old, new string // paths of the root module
	version  string // that the modules require of one another
	imports  *regexp.Regexp
	flags    *regexp.Regexp // of go mod edit, in docs
	settings *regexp.Regexp
}

// newRenaming is for a repository whose root module's path is from. An import path is one that
// begins with it and goes on: the name by itself is the project's, and stays. Settings of the
// linter and flags of go mod edit are the exceptions.
func newRenaming(from, to, version string) *renaming {
	quoted := regexp.QuoteMeta(from)
	return &renaming{
		old: from, new: to, version: version,
		imports:  regexp.MustCompile(`(^|[^\w./-])` + quoted + `(/[a-z"*])`),
		flags:    regexp.MustCompile(`(-(?:require|replace)=)` + quoted + `([@=])`),
		settings: regexp.MustCompile(`(?m)^( +(?:local-prefixes: \[|module-path: ))` + quoted + `(\]?)$`),
	}
}

// file returns the text of a file with the new path. A file that does not name the old one comes
// back as it is.
func (r *renaming) file(name string, text []byte) ([]byte, error) {
	switch {
	case path.Base(name) == "go.mod":
		return r.goMod(name, text)
	case bytes.IndexByte(text, 0) >= 0: // a picture, a sound
		return text, nil
	case path.Ext(name) == ".yml":
		text = r.settings.ReplaceAll(text, []byte("${1}"+r.new+"${2}"))
	}
	text = r.flags.ReplaceAll(text, []byte("${1}"+r.new+"${2}"))
	renamed := r.imports.ReplaceAll(text, []byte("${1}"+r.new+"${2}"))
	if path.Ext(name) == ".go" && !bytes.Equal(renamed, text) {
		return format.Source(renamed) // longer names are aligned otherwise
	}
	return renamed, nil
}

// goMod renames the module, and what it requires of the others. What it replaces stays replaced, so
// that the repository is built from itself; whoever requires the module does not see that.
func (r *renaming) goMod(name string, text []byte) ([]byte, error) {
	f, err := modfile.Parse(name, text, nil)
	if err != nil {
		return nil, err
	}
	if f.Module == nil {
		return nil, fmt.Errorf("%s: it names no module", name)
	}
	if renamed, ok := r.renamed(f.Module.Mod.Path); ok {
		if err := f.AddModuleStmt(renamed); err != nil {
			return nil, err
		}
	}
	requires, replaces := f.Require, f.Replace
	f.SetRequireSeparateIndirect(r.requirements(requires))
	for _, old := range replaces {
		renamed, ok := r.renamed(old.Old.Path)
		if !ok {
			continue
		}
		// Both orders would do; dropping first keeps the block that it stands in.
		dir := old.New.Path
		if err := f.DropReplace(old.Old.Path, old.Old.Version); err != nil {
			return nil, err
		}
		if err := f.AddReplace(renamed, "", dir, ""); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	f.SortBlocks()
	return f.Format()
}

// requirements returns what a module requires, with the new paths.
func (r *renaming) requirements(old []*modfile.Require) (renamed []*modfile.Require) {
	for _, q := range old {
		next := *q
		if to, ok := r.renamed(q.Mod.Path); ok {
			next.Mod.Path, next.Mod.Version = to, r.version
		}
		next.Syntax = nil
		renamed = append(renamed, &next)
	}
	return renamed
}

// renamed returns the new path of a module, and whether it is one of ours.
func (r *renaming) renamed(module string) (string, bool) {
	rest, ok := strings.CutPrefix(module, r.old)
	if !ok || rest != "" && rest[0] != '/' {
		return module, false
	}
	return r.new + rest, true
}
