package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
)

// testFile is a test file: the names that it declares for the whole package, and those that it uses
// and does not declare.
type testFile struct {
	path     string
	always   bool // it has a TestMain or an init
	declares map[string]bool
	uses     map[string]bool
}

// unneeded returns the test files at dir that a test can be compiled without. Most of the time of a
// mutant went into compiling other tests. A file is needed if a needed one uses a name that it
// declares; names are compared as texts, so one too many may stay. If one too few did, the test
// would not compile, and its row would fail.
func unneeded(dir, test string) (paths []string, err error) {
	files, err := testFiles(dir)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{test: true}
	for again := true; again; {
		again = false
		files = slices.DeleteFunc(files, func(f *testFile) bool {
			if !f.always && !meet(f.declares, used) {
				return false
			}
			for name := range f.uses {
				used[name] = true
			}
			again = true
			return true
		})
	}
	for _, f := range files {
		paths = append(paths, f.path)
	}
	return paths, nil
}

// meet reports whether two sets have a name in common.
func meet(a, b map[string]bool) bool {
	for name := range a {
		if b[name] {
			return true
		}
	}
	return false
}

// testFiles reads the test files at dir.
func testFiles(dir string) (files []*testFile, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, readTestFile(path, syntax))
	}
	return files, nil
}

func readTestFile(path string, syntax *ast.File) *testFile {
	f := &testFile{path: path, declares: map[string]bool{}, uses: map[string]bool{}}
	for _, d := range syntax.Decls {
		f.declare(d)
	}
	for _, name := range syntax.Unresolved {
		f.uses[name.Name] = true
	}
	ast.Inspect(syntax, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.IsExported() {
			f.uses[s.Sel.Name] = true
		}
		return true
	})
	return f
}

// declare notes what a declaration declares, but for methods.
func (f *testFile) declare(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		f.always = f.always || name == "TestMain" || name == "init"
		if d.Recv != nil {
			name = receiver(d) // whoever has a value of the type may call its methods
		}
		f.declares[name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				f.declares[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range s.Names {
					f.declares[name.Name] = true
				}
			}
		}
	}
}

// receiver returns the name of the type that a method is of.
func receiver(m *ast.FuncDecl) (name string) {
	ast.Inspect(m.Recv.List[0].Type, func(n ast.Node) bool {
		if t, ok := n.(*ast.Ident); ok && name == "" {
			name = t.Name
		}
		return true
	})
	return name
}
