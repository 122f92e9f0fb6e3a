package main

import (
	"fmt"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// describe adds the API of each package in a module to texts, by the name of its file.
func describe(dir string, texts map[string][]byte) error {
	all, err := packages.Load(&packages.Config{
		Dir: dir, Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports |
			packages.NeedDeps | packages.NeedModule | packages.NeedSyntax | packages.NeedTypesInfo,
	}, "./...")
	if err != nil {
		return err
	}
	for _, p := range all {
		if len(p.Errors) > 0 {
			return fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
		}
		if private(p) {
			continue
		}
		name := strings.TrimPrefix(strings.TrimPrefix(p.PkgPath, rootOf(p.Module.Path)), "/")
		text := strings.Join(api(p.Types, name), "\n") + "\n"
		texts[strings.ReplaceAll(name, "/", "-")+".txt"] = []byte(text)
	}
	return nil
}

// private reports whether nobody else links a package.
func private(p *packages.Package) bool {
	return p.Name == "main" || slices.Contains(strings.Split(p.PkgPath, "/"), "internal")
}

// rootOf returns the path of the root module. The other modules are one folder below it, and have
// its path as a prefix; so the text does not change with the path.
func rootOf(module string) string {
	const project = "ivrqueue"
	before, _, ok := strings.Cut(module, project)
	if !ok {
		return filepath.Dir(module)
	}
	return before + project
}

// api returns a line for each exported name of a package, sorted.
func api(p *types.Package, name string) (lines []string) {
	root := rootOf(p.Path())
	short := func(other *types.Package) string {
		if other == p {
			return ""
		}
		return strings.TrimPrefix(strings.TrimPrefix(other.Path(), root), "/")
	}
	add := func(format string, args ...any) {
		lines = append(lines, name+": "+fmt.Sprintf(format, args...))
	}
	scope := p.Scope()
	for _, n := range scope.Names() {
		object := scope.Lookup(n)
		if !object.Exported() {
			continue
		}
		switch o := object.(type) {
		case *types.Const:
			add("const %s %s = %s", n, types.TypeString(o.Type(), short), o.Val())
		case *types.TypeName:
			describeType(o, short, add)
		default:
			add("%s", types.ObjectString(o, short))
		}
	}
	slices.Sort(lines)
	return lines
}

// describeType adds a type, its exported fields and its methods.
func describeType(o *types.TypeName, short types.Qualifier, add func(string, ...any)) {
	n := o.Name()
	named, ok := o.Type().(*types.Named)
	if !ok || o.IsAlias() {
		add("%s", types.ObjectString(o, short))
		return
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		add("type %s struct", n)
		for f := range u.Fields() {
			if f.Exported() {
				add("type %s struct, %s %s", n, f.Name(), types.TypeString(f.Type(), short))
			}
		}
	case *types.Interface:
		add("type %s interface", n)
		for m := range u.Methods() {
			add("type %s interface, %s%s", n, m.Name(), signature(m, short))
		}
	default:
		add("type %s %s", n, types.TypeString(u, short))
	}
	// Those that are promoted from an embedded field are part of what others call, too.
	set := types.NewMethodSet(types.NewPointer(named))
	if types.IsInterface(named) {
		return
	}
	for m := range set.Methods() {
		f, ok := m.Obj().(*types.Func)
		if !ok || !f.Exported() {
			continue
		}
		receiver := "*" + n
		if types.NewMethodSet(named).Lookup(f.Pkg(), f.Name()) != nil {
			receiver = n
		}
		add("func (%s) %s%s", receiver, f.Name(), signature(f, short))
	}
}

// signature returns a function's parameters and results.
func signature(f *types.Func, short types.Qualifier) string {
	return strings.TrimPrefix(types.TypeString(f.Type(), short), "func")
}
