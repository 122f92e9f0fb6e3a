package member

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The machine computes: it imports values only, and has no goroutine, channel or clock.
func TestTheMachineIsPure(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "machine.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		if !slices.Contains([]string{"math", "slices", "time"}, path) || spec.Name != nil {
			t.Errorf("it imports %s", path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.ChanType, *ast.SendStmt, *ast.SelectStmt, *ast.FuncLit:
			if _, compares := n.(*ast.FuncLit); !compares {
				t.Errorf("it has a %T", n)
			}
		case *ast.SelectorExpr:
			if of, ok := n.X.(*ast.Ident); ok && of.Name == "time" && n.Sel.Name != "Duration" {
				t.Errorf("it uses time.%s", n.Sel.Name)
			}
		}
		return true
	})
}

// The explorer copies machines. Whoever gives one a new field looks whether it has to be copied.
func TestTheCloneKnowsEveryField(t *testing.T) {
	t.Parallel()
	for typ, fields := range map[reflect.Type]string{
		reflect.TypeFor[machine](): "setup boot now awake twin met epoch began held left grants supports nextBeat refusals " +
			"peers answers failure failing theirs",
		reflect.TypeFor[setup]():   "self nodes config listen timing",
		reflect.TypeFor[peer]():    "boot epoch heard floor known knownAt held dead died heirs",
		reflect.TypeFor[voting]():  "sent floors",
		reflect.TypeFor[refusal](): "verdict since",
	} {
		var got []string
		for f := range typ.Fields() {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != fields {
			t.Errorf("%v has the fields %v, and the clone was made for %s", typ, got, fields)
		}
	}
}
