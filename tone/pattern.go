package tone

import (
	"encoding/binary"
	"fmt"
	"regexp/syntax"
	"slices"
)

// Pattern is a regular expression for what may be entered, compiled into an automaton over the 17
// tones: so it is known after each tone whether the digits match, and whether more of them could.
// [CompilePattern] makes it. It is read-only, and safe for concurrent use by any number of
// collections.
type Pattern struct {
	expr   string
	states []patternState
	left   []lengths // of each state, if every tone may follow
	tones  Set       // that lead to a match from somewhere
}

// patternState is a state of the automaton. State 0 is dead: nothing leads out of it, and it does
// not match. The automaton begins in state 1.
type patternState struct {
	next    [Flash + 1]uint16 // the state after each tone
	matches bool
}

// Bounds of a pattern. They hold what a menu or a number needs many times over, and bound the time
// to compile one to some 200 ms, whoever wrote it.
const (
	maxExpr   = 1024 // bytes of the expression
	maxInsts  = 1024 // instructions of its program
	maxStates = 1024 // states of its automaton
)

// CompilePattern compiles a regular expression in the syntax of package [regexp] (RE2) over the
// characters of [Tone.Char]: the digits, '*', '#', 'A' to 'D', and '!' for flash. It must match all
// that is entered, from the first to the last tone: "1|12" needs no anchors. A star that is pressed
// is written `\*`. Compile a pattern once and keep it.
//
// Errors: what package regexp/syntax says of an expression that is none; one that is longer than
// 1,024 bytes or needs more than 1,024 instructions or 1,024 states; and one that matches nothing
// of 1 to [DigitLimit] tones.
func CompilePattern(expr string) (*Pattern, error) {
	if len(expr) > maxExpr {
		return nil, fmt.Errorf("tone: pattern of %d bytes, must have at most %d", len(expr), maxExpr)
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("tone: pattern %q: %w", expr, err)
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, fmt.Errorf("tone: pattern %q: %w", expr, err)
	}
	if n := len(prog.Inst); n > maxInsts {
		return nil, fmt.Errorf("tone: pattern %q needs %d instructions, limit is %d", expr, n, maxInsts)
	}
	b := builder{prog: prog, numbers: map[string]uint16{}, seen: make([]int, len(prog.Inst))}
	if !b.build() {
		return nil, fmt.Errorf("tone: pattern %q needs more than %d states", expr, maxStates)
	}
	p := &Pattern{expr: expr, states: b.states}
	p.left = p.reach(0)
	if !p.left[1].within(1, DigitLimit) {
		return nil, fmt.Errorf("tone: pattern %q matches nothing of 1 to %d tones", expr, DigitLimit)
	}
	for i := range p.states {
		for t, next := range p.states[i].next {
			if p.left[next] != (lengths{}) {
				p.tones |= 1 << t
			}
		}
	}
	return p, nil
}

// MustCompilePattern is CompilePattern for patterns that are written in the source: it panics with
// the error.
func MustCompilePattern(expr string) *Pattern {
	p, err := CompilePattern(expr)
	if err != nil {
		panic(err)
	}
	return p
}

// String returns the expression; empty for a nil Pattern.
func (p *Pattern) String() string {
	if p == nil {
		return ""
	}
	return p.expr
}

// lengths is a set of lengths, of 0 to 191: after how many more tones a state can match.
type lengths [3]uint64

// within reports whether the set has a length of low to high.
func (l *lengths) within(low, high int) bool {
	for k := max(low, 0); k <= high; k++ {
		if l[k/64]>>(k%64)&1 == 1 {
			return true
		}
	}
	return false
}

// reach returns the lengths of each state if no tone of stop may follow. Those of a state are one
// more than those of the states after it; which is applied until nothing changes.
func (p *Pattern) reach(stop Set) []lengths {
	left := make([]lengths, len(p.states))
	for changed := true; changed; {
		changed = false
		for i := len(p.states) - 1; i > 0; i-- {
			now := p.states[i].lengths(left, stop)
			changed = changed || now != left[i]
			left[i] = now
		}
	}
	return left
}

// lengths returns the lengths of a state by those of the states after it.
func (s *patternState) lengths(left []lengths, stop Set) (all lengths) {
	for t := Tone0; t.Valid(); t++ {
		if after := &left[s.next[t]]; !stop.Contains(t) {
			all[0] |= after[0] << 1
			all[1] |= after[1]<<1 | after[0]>>63
			all[2] |= after[2]<<1 | after[1]>>63
		}
	}
	if s.matches {
		all[0] |= 1
	}
	return all
}

// builder makes the automaton of a program, by the subset construction. A state is the set of
// instructions after the last tone, and that tone as far as \b and ^ can tell.
type builder struct {
	prog    *syntax.Prog
	states  []patternState
	numbers map[string]uint16 // of the states, by key
	open    []subset          // what each state is

	seen    []int // in which round each instruction was followed
	round   int
	runes   []uint32 // instructions that want a character, reached in this round
	matches bool     // the end was reached in this round
}

// subset is a state of the automaton as the program has it.
type subset struct {
	insts []uint32 // sorted
	prev  rune     // one that looks like the last tone to \b and ^: -1 at the beginning, '0' or '*'
}

// build makes all states. It reports whether they are few enough.
func (b *builder) build() bool {
	b.states = make([]patternState, 1, 16)
	b.open = make([]subset, 1, 16)
	b.number(subset{[]uint32{uint32(b.prog.Start)}, -1}) //nolint:gosec // an index of Inst
	for i := 1; i < len(b.states); i++ {
		if len(b.states) > maxStates {
			return false
		}
		at := b.open[i]
		for _, next := range []rune{'0', '*'} { // \b tells these apart, and no others
			b.follow(at, next)
			for t := Tone0; t.Valid(); t++ {
				if r := rune(t.Char()); syntax.IsWordChar(r) == syntax.IsWordChar(next) {
					after := b.number(b.step(r, next))
					b.states[i].next[t] = after
				}
			}
		}
		b.follow(at, -1)
		b.states[i].matches = b.matches
	}
	return true
}

// number returns the number of a state, a new one if it is new, and 0 for the dead one.
func (b *builder) number(s subset) uint16 {
	if len(s.insts) == 0 {
		return 0
	}
	key := binary.AppendVarint(make([]byte, 0, 4*len(s.insts)+1), int64(s.prev))
	for _, pc := range s.insts {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	n, ok := b.numbers[string(key)]
	if !ok {
		n = uint16(len(b.states)) //nolint:gosec // at most 17 more than maxStates
		b.numbers[string(key)] = n
		b.states = append(b.states, patternState{})
		b.open = append(b.open, s)
	}
	return n
}

// step returns the state after a character, which looks like prev, in the state that was followed.
func (b *builder) step(r, prev rune) subset {
	after := subset{prev: prev}
	for _, pc := range b.runes {
		if inst := &b.prog.Inst[pc]; inst.MatchRune(r) {
			after.insts = append(after.insts, inst.Out)
		}
	}
	slices.Sort(after.insts)
	after.insts = slices.Compact(after.insts)
	return after
}

// follow goes from a state to all instructions that are reached without a character, where r is the
// next one, one that looks like it, or -1 at the end.
func (b *builder) follow(s subset, r rune) {
	b.round++
	b.runes, b.matches = b.runes[:0], false
	cond := syntax.EmptyOpContext(s.prev, r)
	for _, pc := range s.insts {
		b.visit(pc, cond)
	}
}

// visit follows one instruction. It goes no deeper than there are instructions.
func (b *builder) visit(pc uint32, cond syntax.EmptyOp) {
	if b.seen[pc] == b.round {
		return
	}
	b.seen[pc] = b.round
	switch inst := &b.prog.Inst[pc]; inst.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		b.visit(inst.Out, cond)
		b.visit(inst.Arg, cond)
	case syntax.InstCapture, syntax.InstNop:
		b.visit(inst.Out, cond)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(inst.Arg)&^cond == 0 { //nolint:gosec // an EmptyOp
			b.visit(inst.Out, cond)
		}
	case syntax.InstMatch:
		b.matches = true
	case syntax.InstFail:
	default: // InstRune and its special cases
		b.runes = append(b.runes, pc)
	}
}
