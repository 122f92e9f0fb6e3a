package queue

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The machine is pure: what it does depends on its inputs alone, and nothing but its own code runs
// under the queue's lock. So its files import only values and small packages that compute. They start
// no goroutine and use no channel, lock or clock. They call functions of their own files and of what
// they import, but no function that is a value and no method of an interface: an error, a context, a
// request, an observer, media and a logger are code of others.

// pureFiles are the files of the machine. The linter has the same list (depguard in .golangci.yml).
var pureFiles = []string{"machine.go", "generations.go", "answers.go", "entry.go", "log.go"}

// pureImports are what they may import, and what they may use of it, if not all.
var pureImports = map[string][]string{
	"math/bits": nil, "slices": nil, "github.com/google/uuid": nil, "ivrqueue/operation": nil,
	"ivrqueue/tone": {"Tone", "Set", "Event"}, // no stream
	"time":          {"Time", "Duration"},
}

func TestTheMachineIsPure(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources[name] = string(text)
	}
	for _, name := range pureFiles {
		if sources[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
	for _, wrong := range impurities(t, sources) {
		t.Error(wrong)
	}
}

// Each impurity that the test is there for is found.
func TestAnImpureMachineIsFound(t *testing.T) {
	t.Parallel()
	const other = `package queue
type object interface { m() }
type config struct { seam func() }
func warn() {}`
	for name, code := range map[string]string{
		"a lock":                  `import "sync"; var mu sync.Mutex`,
		"an atomic":               `import "sync/atomic"; var n atomic.Int64`,
		"a clock":                 `import "time"; func f() time.Time { return time.Now() }`,
		"a clock as a value":      `import "time"; var now = time.Now`,
		"a clock by another name": `import clock "time"; func f(t clock.Time) { clock.Since(t) }`,
		"a timer":                 `import "time"; func f() { time.AfterFunc(0, nil) }`,
		"a dot import":            `import . "time"; var x = Now()`,
		"unsafe":                  `import "unsafe"; var x unsafe.Pointer`,
		"a goroutine":             `func f() { go f() }`,
		"a channel":               `type t struct { c chan int }`,
		"a send":                  `func f() { x.c <- 1 }`,
		"a receive":               `func f() { <-x.c }`,
		"a select":                `func f() { select {} }`,
		"a range over a function": `func f(seq func(func(int) bool)) { for range seq { } }`,
		"a call of a parameter":   `func f(g func()) { g() }`,
		"a call of a field":       `func f(c *config) { c.seam() }`,
		"a method of an error":    `func f(err error) string { return err.Error() }`,
		"a method of a request":   `import "ivrqueue/operation"; func f(r operation.Request) { r.Kind() }`,
		"a method of ours":        `func f(o object) { o.m() }`,
		"a function elsewhere":    `func f() { warn() }`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sources := map[string]string{"other.go": other, "machine.go": "package queue; " + code}
			if len(impurities(t, sources)) == 0 {
				t.Errorf("nothing is found in %s", code)
			}
		})
	}
}

// impurities returns what is wrong with the pure ones of a package's files.
func impurities(t *testing.T, sources map[string]string) []string {
	t.Helper()
	p := purity{files: token.NewFileSet()}
	var all []*ast.File
	for name, text := range sources {
		file, err := parser.ParseFile(p.files, name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, file)
	}
	// What is imported stays unknown: it is the package's own functions, fields and interfaces that
	// have to be told apart.
	p.info = types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{},
	}
	checker := types.Config{Importer: unknown{}, Error: func(error) {}}
	_, _ = checker.Check("queue", p.files, all, &p.info)
	for _, file := range all {
		if p.pure(file) {
			p.imports(file)
			ast.Inspect(file, p.look)
		}
	}
	return p.wrong
}

// unknown imports every package as an empty one.
type unknown struct{}

func (unknown) Import(path string) (*types.Package, error) {
	p := types.NewPackage(path, filepath.Base(path))
	p.MarkComplete()
	return p, nil
}

type purity struct {
	files *token.FileSet
	info  types.Info
	wrong []string
}

func (p *purity) report(n ast.Node, what string, args ...any) {
	p.wrong = append(p.wrong, fmt.Sprintf("%v: %s", p.files.Position(n.Pos()), fmt.Sprintf(what, args...)))
}

// pure reports whether something stands in a file of the machine.
func (p *purity) pure(n interface{ Pos() token.Pos }) bool {
	return slices.Contains(pureFiles, filepath.Base(p.files.Position(n.Pos()).Filename))
}

func (p *purity) imports(file *ast.File) {
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if _, ok := pureImports[path]; !ok {
			p.report(spec, "the machine imports %s", path)
		} else if spec.Name != nil {
			p.report(spec, "the machine imports %s by another name", path)
		}
	}
}

// look looks at one node. It goes not into must, which turns an error of ours into a panic.
func (p *purity) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return n.Name.Name != "must"
	case *ast.GoStmt:
		p.report(n, "the machine starts a goroutine")
	case *ast.ChanType, *ast.SendStmt, *ast.SelectStmt:
		p.report(n, "the machine uses a channel")
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			p.report(n, "the machine uses a channel")
		}
	case *ast.RangeStmt:
		if t := p.info.TypeOf(n.X); t != nil {
			if _, ok := t.Underlying().(*types.Signature); ok {
				p.report(n, "the machine calls a function that is a value")
			}
		}
	case *ast.SelectorExpr:
		if pkg, ok := p.packageOf(n); ok && pureImports[pkg] != nil && !slices.Contains(pureImports[pkg], n.Sel.Name) {
			p.report(n, "the machine uses %s.%s", pkg, n.Sel.Name)
		}
	case *ast.CallExpr:
		p.call(n)
	default:
	}
	return true
}

// packageOf returns the package that an expression selects from, if it is one.
func (p *purity) packageOf(n *ast.SelectorExpr) (path string, ok bool) {
	id, ok := n.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	pkg, ok := p.info.Uses[id].(*types.PkgName)
	if !ok {
		return "", false
	}
	return pkg.Imported().Path(), true
}

// call looks at a call: of a function of these files or of what they import, a conversion, or a
// builtin function.
func (p *purity) call(n *ast.CallExpr) {
	fun := ast.Unparen(n.Fun)
	if tv := p.info.Types[fun]; tv.IsType() || tv.IsBuiltin() {
		return
	}
	var callee types.Object
	switch fun := fun.(type) {
	case *ast.Ident:
		callee = p.info.Uses[fun]
	case *ast.SelectorExpr:
		s := p.info.Selections[fun]
		switch {
		case s != nil && types.IsInterface(s.Recv()):
			p.report(n, "the machine calls %s of an interface", fun.Sel.Name)
			return
		case s != nil:
			callee = s.Obj()
		case slices.Contains([]string{"Kind", "Validate", "BargesIn"}, fun.Sel.Name):
			p.report(n, "the machine calls %s of a request", fun.Sel.Name)
			return
		default:
			return // of what is imported
		}
	default:
	}
	switch callee := callee.(type) {
	case *types.Func:
		if !p.pure(callee) {
			p.report(n, "the machine calls %s, which is none of its functions", callee.Name())
		}
	default:
		p.report(n, "the machine calls a function that is a value")
	}
}
