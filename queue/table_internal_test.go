package queue

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/machine.md has the machine as two tables: how one operation goes through it, and how the
// queue comes to its end. They are made of what the explorer sees:
//
//	MACHINE_TABLE=write go test -run TestTheDocsHaveTheMachine ./queue

const machineDoc = "../docs/machine.md"

func TestTheDocsHaveTheMachine(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(machineDoc)
	if err != nil {
		t.Fatal(err)
	}
	operations, phases := machineTables(t)
	want, err := insertTable(string(doc), "operation", operations)
	if err == nil {
		want, err = insertTable(want, "phase", phases)
	}
	if err != nil {
		t.Fatal(err)
	}
	if want == string(doc) {
		return
	}
	if os.Getenv("MACHINE_TABLE") != "write" {
		t.Fatal("docs/machine.md does not say what the machine does: run make generate, and look at what has changed")
	}
	if err := os.WriteFile(machineDoc, []byte(want), 0o600); err != nil {
		t.Fatal(err)
	}
}

// insertTable puts a table between its markers.
func insertTable(doc, name, table string) (string, error) {
	begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
	before, rest, found := strings.Cut(doc, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("docs/machine.md has no %q with a %q after it", begin, end)
	}
	return before + begin + table + end + after, nil
}

// Situations of an operation, in the order of the table.
const (
	atNew            = "not accepted"
	atWaiting        = "waiting"
	atDue            = "Start is due"
	atStart          = "in Start"
	atRunning        = "running"
	atStartReported  = "in Start, has reported"
	atStartPreempted = "in Start, preempted"
	atStartReleased  = "in Start, preempted, has reported"
	atStopDue        = "Stop is due"
	atStop           = "in Stop"
	atStopReleased   = "in Stop, has reported"
	atStopped        = "Stop has returned"
	atThrough        = "finished"
	atAbandoned      = "abandoned"
	atLate           = "abandoned, has reported"
)

var situations = []string{
	atNew, atWaiting, atDue, atStart, atRunning, atStartReported, atStartPreempted, atStartReleased,
	atStopDue, atStop, atStopReleased, atStopped, atThrough, atAbandoned, atLate,
}

// situation returns where the machine is with an operation.
func situation(b *Bare, op Op) string {
	if b.Operation(op) == nil {
		return atNew
	}
	e := b.entry(op)
	switch {
	case e.media.has(abandoned | reported):
		return atLate
	case e.media.has(abandoned):
		return atAbandoned
	case e != b.m.current && e.control.Live():
		return atWaiting
	case e != b.m.current:
		return atThrough
	}
	const known = startEntered | startReturned | stopEntered | stopReturned | reported | preempted
	return map[mediaState]string{
		0:                                        atDue,
		startEntered:                             atStart,
		startEntered | startReturned:             atRunning,
		startEntered | reported:                  atStartReported,
		startEntered | preempted:                 atStartPreempted,
		startEntered | preempted | reported:      atStartReleased,
		startEntered | startReturned | preempted: atStopDue,
		startEntered | startReturned | preempted | stopEntered:                atStop,
		startEntered | startReturned | preempted | stopEntered | reported:     atStopReleased,
		startEntered | startReturned | preempted | stopEntered | stopReturned: atStopped,
	}[e.media&known]
}

// move is a row of the table of one operation: what all inputs named do in a situation.
type move struct{ from, to, events string }

// machineTables explores small calls, and returns both tables. It fails if what an input does with
// an operation depends on anything but the situation of that.
func machineTables(t *testing.T) (operations, phases string) {
	t.Helper()
	moves := map[string]map[string]move{} // by situation and input
	ways := map[[2]phase][]string{}
	was, phaseWas, events := map[Op]string{}, phaseOpen, 0
	var x exploration
	x.before = func(s *exploredState, _ Input) {
		clear(was)
		for op := Op(1); int(op) <= len(s.seen.order)+1; op++ {
			was[op] = situation(s.bare, op)
		}
		phaseWas, events = s.bare.m.phase, len(s.seen.events)
	}
	x.after = func(s *exploredState, in Input) {
		if now := s.bare.m.phase; now != phaseWas {
			way := [2]phase{phaseWas, now}
			ways[way] = appendNew(ways[way], in.Do.String())
		}
		for op, from := range was {
			name, m := inputOf(s.bare, in, op, from), moveOf(s, op, from, events)
			if name == "" {
				if m.events == "" && m.to == from {
					continue
				}
				name = "the media becomes free"
			}
			name = withCondition(name, m)
			if moves[from] == nil {
				moves[from] = map[string]move{}
			}
			if old, known := moves[from][name]; known && old != m {
				t.Errorf("%s, %s: %v, and elsewhere %v", from, name, m, old)
			}
			moves[from][name] = m
		}
	}
	x.config.RunTimeout = true
	for _, x.budget = range []budget{
		{Enqueues: 2, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Timeouts: 1},
		{Enqueues: 2, Cancels: 1, Timeouts: 1, Late: 1, Tones: 1},
		{Enqueues: 2, Seals: 1, Tones: 1, Wheres: 1},
	} {
		if found := explore(x); found.err != nil {
			t.Fatal(found)
		}
	}
	return operationTable(moves), phaseTable(ways)
}

func appendNew(all []string, s string) []string {
	if slices.Contains(all, s) {
		return all
	}
	return append(all, s)
}

// inputOf returns the name of an input for an operation, or nothing if it is about others only.
func inputOf(b *Bare, in Input, op Op, from string) string {
	switch in.Do {
	case DoTone:
		if runs := from == atDue || from == atStart || from == atRunning; !runs || in.Failed ||
			b.Operation(op) == nil || !b.entry(op).stopTones.Contains(in.Tone) {
			return ""
		}
		return "key"
	case DoCancelAll, DoClose:
		return in.Do.String()
	case DoInterrupt:
		if in.Op == op {
			return "enqueue" // it ends the others first
		}
		return in.Do.String()
	case DoCancel:
		if in.ID == op {
			return "cancel"
		}
		return ""
	case DoCancelWhere:
		if in.Chosen.Has(op) {
			return in.Do.String()
		}
		return ""
	case DoReturnStart:
		if in.Op == op && in.Failed {
			return "Start returned an error"
		}
	default:
	}
	if in.Op != op || in.Do == DoSeal {
		return ""
	}
	return in.Do.String()
}

// moveOf returns what an input did with an operation.
func moveOf(s *exploredState, op Op, from string, events int) move {
	m := move{from: from, to: situation(s.bare, op)}
	for _, e := range s.seen.events[events:] {
		if e.op == op && e.kind != Closed {
			m.events = strings.TrimPrefix(m.events+", "+strings.ToUpper(e.kind.String()[:1])+e.kind.String()[1:], ", ")
		}
	}
	return m
}

// withCondition tells apart the inputs that depend on more than the situation.
func withCondition(name string, m move) string {
	switch {
	case name == "enqueue" && m.to == atDue:
		return "enqueue, the media is free"
	case name == "enqueue":
		return "enqueue, the media is not free"
	default:
		return name
	}
}

// operationTable has a row for each situation and what comes of it, with all inputs that do that.
func operationTable(moves map[string]map[string]move) string {
	var b strings.Builder
	b.WriteString("| the operation is | input | events | then it is |\n|---|---|---|---|\n")
	for _, from := range situations {
		rows := map[move][]string{}
		var order []move
		for _, name := range slices.Sorted(maps.Keys(moves[from])) {
			m := moves[from][name]
			if m.to == from && m.events == "" {
				continue // it changes nothing
			}
			if rows[m] == nil {
				order = append(order, m)
			}
			rows[m] = append(rows[m], name)
		}
		for _, m := range order {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", from, strings.Join(rows[m], "; "), m.events, m.to)
		}
	}
	return b.String()
}

// phaseTable has a row for each way from phase to phase.
func phaseTable(ways map[[2]phase][]string) string {
	names := [...]string{phaseOpen: "open", phaseSealed: "sealed", phaseClosed: "closed", phaseDrained: "drained"}
	var b strings.Builder
	b.WriteString("| from | to | by |\n|---|---|---|\n")
	for from := range phaseDrained {
		for to := from + 1; to <= phaseDrained; to++ {
			if by := ways[[2]phase{from, to}]; by != nil {
				slices.Sort(by)
				fmt.Fprintf(&b, "| %s | %s | %s |\n", names[from], names[to], strings.Join(by, "; "))
			}
		}
	}
	return b.String()
}

// Every method of the machine that the shell calls stands in the document, as an input or an
// output.
func TestTheDocsNameEveryMethodOfTheMachine(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(machineDoc)
	if err != nil {
		t.Fatal(err)
	}
	methods, called := map[string]bool{}, map[string]bool{}
	for _, name := range []string{"machine.go", "queue.go", "dispatch.go", "timeout.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncDecl); ok && name == "machine.go" && f.Recv != nil {
				if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok && fmt.Sprint(star.X) == "machine" {
					methods[f.Name.Name] = true
				}
			}
			if s, ok := n.(*ast.SelectorExpr); ok && name != "machine.go" {
				if of := fmt.Sprint(s.X); of == "m" || strings.HasSuffix(of, " machine}") {
					called[s.Sel.Name] = true
				}
			}
			return true
		})
	}
	// What it is asked for besides: nothing of these changes it.
	for _, asked := range []string{"find", "live", "liveEntries", "coldState", "returnNeedsTime"} {
		delete(called, asked)
	}
	n := 0
	for name := range called {
		if methods[name] {
			n++
			if !strings.Contains(string(doc), "`"+name+"`") {
				t.Errorf("docs/machine.md does not name %s", name)
			}
		}
	}
	if n < 13 {
		t.Errorf("the shell calls %d methods of the machine, of %d", n, len(methods))
	}
}
