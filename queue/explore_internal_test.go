package queue

import (
	"fmt"
	"hash/maphash"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// The explorer gives the machine every input in every state that it can reach in a small call, the
// near ones first, and asks in each state whether the invariants hold. It comes to a state by
// giving a new machine the inputs that lead there: nothing is copied, so nothing can be forgotten
// in a copy.

// budget is how much may happen in a call that is explored.
type budget struct {
	Enqueues, Interrupts, Cancels, Seals, Closes int8 // cancels are of all, or of any one

	Timeouts int8 // or anyNumber
	Stale    int8 // timeouts that fire for an operation for which none is armed
	Late     int8 // reports that come twice, or after the media was abandoned
	Progress int8
	Tones    int8

	Protected int8 // operations
	Spares    int8 // of the cancels of all
	Next      int8 // of the enqueues, ahead of all that waits
	Wheres    int8 // cancels of any set of operations

	Keys    int8 // inputs with a key that is not remembered
	Repeats int8 // and with one that is

	Holds  int8 // pauses of the queue, and resumes
	Pauses int8 // of any operation, and resumes
}

const anyNumber = 127

// exploration is what is explored.
type exploration struct {
	config  BareConfig
	budget  budget
	variant variant

	before func(s *exploredState, in Input) // each input; may be nil
	after  func(s *exploredState, in Input)
}

// explored is what was found.
type explored struct {
	states int // different ones
	inputs int // given, in all states
	path   []Input
	err    error
}

func (x explored) String() string {
	if x.err == nil {
		return fmt.Sprintf("%d states, %d inputs: every invariant holds", x.states, x.inputs)
	}
	steps := make([]string, len(x.path))
	for i, in := range x.path {
		steps[i] = in.String()
	}
	return fmt.Sprintf("%d states; %v, after: %s", x.states, x.err, strings.Join(steps, " · "))
}

// explore explores until something is wrong.
func explore(x exploration) (found explored) {
	type node struct {
		from int32
		by   Input
	}
	nodes := []node{{from: -1}}
	var path []Input
	pathTo := func(n int32) {
		path = path[:0]
		for ; n > 0; n = nodes[n].from {
			path = append(path, nodes[n].by)
		}
		slices.Reverse(path)
	}
	first := x.replay(nil)
	seen := map[stateKey]struct{}{first.key(): {}}
	for at := 0; at < len(nodes); at++ {
		pathTo(int32(at)) //nolint:gosec // memory ends before
		s := x.replay(path)
		for i, in := range s.inputs() {
			if i > 0 {
				s = x.replay(path)
			}
			found.inputs++
			if x.before != nil {
				x.before(s, in)
			}
			if err := s.apply(in, true); err != nil {
				found.path, found.err = append(slices.Clip(path), in), err
				found.states = len(seen)
				return found
			}
			if x.after != nil {
				x.after(s, in)
			}
			k := s.key()
			if _, old := seen[k]; !old {
				seen[k] = struct{}{}
				nodes = append(nodes, node{int32(at), in}) //nolint:gosec // likewise
			}
		}
	}
	found.states = len(seen)
	return found
}

// exploredState is a machine that is explored, what was seen of it, and what may still happen.
type exploredState struct {
	bare *Bare
	seen invariants
	left budget
}

// replay makes the state to which these inputs lead.
func (x exploration) replay(path []Input) *exploredState {
	s := &exploredState{bare: newBare(x.config, x.variant), left: x.budget}
	s.seen.now = time.Unix(1e9, 0)
	for _, in := range path {
		if err := s.apply(in, false); err != nil {
			panic(err) // it was judged when it was new
		}
	}
	return s
}

// apply gives the machine an input, a second after the one before.
func (s *exploredState) apply(in Input, judge bool) error {
	if s.seen.answered(in.Key, s.seen.now.Add(time.Second)) != nil {
		s.left.Repeats--
	} else {
		s.spend(in)
	}
	_, err := s.seen.apply(s.bare, in, s.seen.now.Add(time.Second), judge)
	return err
}

// spend takes an input off the budget.
func (s *exploredState) spend(in Input) {
	armed, _, _ := s.bare.Timeout()
	if in.Key != 0 {
		s.left.Keys--
	}
	switch in.Do {
	case DoEnqueue, DoEnqueueNext, DoInterrupt:
		switch in.Do {
		case DoInterrupt:
			s.left.Interrupts--
		case DoEnqueueNext:
			s.left.Next--
			s.left.Enqueues--
		default:
			s.left.Enqueues--
		}
		if in.Protected {
			s.left.Protected--
		}
	case DoCancelWhere:
		s.left.Wheres--
	case DoCancelAll, DoCancel:
		s.left.Cancels--
		if in.Spare {
			s.left.Spares--
		}
	case DoSeal:
		s.left.Seals--
	case DoClose:
		s.left.Closes--
	case DoStopTimeout, DoRunTimeout:
		switch {
		case in != armed:
			s.left.Stale--
		case s.left.Timeouts != anyNumber:
			s.left.Timeouts--
		}
	case DoReport:
		if o := s.seen.op(in.Op); o.reported || o.abandoned {
			s.left.Late--
		}
	case DoProgress:
		s.left.Progress--
	case DoTone:
		s.left.Tones--
	case DoPause, DoResume:
		s.left.Holds--
	case DoPauseOperation, DoResumeOperation:
		s.left.Pauses--
	default:
	}
}

// inputs returns those that can be next. Operations are numbered in the order in which they are
// accepted: which of the callers it was makes no difference.
func (s *exploredState) inputs() (all []Input) {
	add := func(may bool, in Input) {
		if may {
			all = append(all, in)
		}
	}
	v, left := &s.seen, &s.left
	next := Op(len(v.order) + 1) //nolint:gosec // few
	add(left.Enqueues > 0 && !v.sealed, Input{Do: DoEnqueue, Op: next})
	add(left.Interrupts > 0 && !v.sealed, Input{Do: DoInterrupt, Op: next})
	add(left.Cancels > 0, Input{Do: DoCancelAll})
	for _, t := range []tone.Tone{tone.Tone1, tone.Tone2} {
		add(left.Tones > 0, Input{Do: DoTone, Tone: t})
		add(left.Tones > 0, Input{Do: DoTone, Tone: t, Failed: true})
	}
	add(left.Next > 0 && left.Enqueues > 0 && !v.sealed, Input{Do: DoEnqueueNext, Op: next})
	if left.Wheres > 0 {
		because := operation.Result{Reason: operation.ShutDown}
		for chosen := Chosen(2); chosen < 1<<next; chosen += 2 { // those that have ended included
			all = append(all, Input{Do: DoCancelWhere, Chosen: chosen, Result: because})
		}
	}
	if left.Protected > 0 {
		add(left.Enqueues > 0 && !v.sealed, Input{Do: DoEnqueue, Op: next, Protected: true})
		add(left.Interrupts > 0 && !v.sealed, Input{Do: DoInterrupt, Op: next, Protected: true})
	}
	add(left.Cancels > 0 && left.Spares > 0, Input{Do: DoCancelAll, Spare: true})
	for key := Key(1); key <= v.keys+1; key++ {
		first := v.answered(key, v.now.Add(time.Second)) != nil
		may := func(n int8) bool { return first && left.Repeats > 0 || !first && left.Keys > 0 && n > 0 }
		add(may(left.Enqueues), Input{Do: DoEnqueue, Op: next, Key: key})
		add(may(left.Interrupts), Input{Do: DoInterrupt, Op: next, Key: key})
		add(may(left.Cancels), Input{Do: DoCancelAll, Key: key})
	}
	add(left.Seals > 0, Input{Do: DoSeal})
	add(left.Closes > 0, Input{Do: DoClose, Result: operation.Result{Reason: operation.CallEnded, Err: errBare}})
	add(left.Holds > 0, Input{Do: DoPause})
	add(left.Holds > 0, Input{Do: DoResume})
	if due, ok := s.bare.Due(); ok {
		add(true, due)
	}
	if op := s.bare.ToPrepare(); op != 0 {
		add(true, Input{Do: DoPrepare, Op: op})
	}
	armed, _, _ := s.bare.Timeout()
	add(armed.Do != 0 && left.Timeouts > 0, armed)
	add(v.late < uint64(len(v.events)) && s.bare.m.log.observers() > 1, Input{Do: DoDeliver})
	for _, op := range v.order {
		o := v.op(op)
		add(left.Cancels > 0 && !o.ended, Input{Do: DoCancel, ID: op})
		add(left.Pauses > 0, Input{Do: DoPauseOperation, ID: op})
		add(left.Pauses > 0, Input{Do: DoResumeOperation, ID: op})
		add(left.Stale > 0 && armed.Op != op, Input{Do: DoStopTimeout, Op: op})
		add(left.Stale > 0 && armed.Op != op, Input{Do: DoRunTimeout, Op: op})
		if !o.startEntered {
			continue
		}
		add(!o.startReturned, Input{Do: DoReturnStart, Op: op})
		add(!o.startReturned, Input{Do: DoReturnStart, Op: op, Failed: true, Result: operation.Result{Reason: operation.BadFormat}})
		add(o.stopEntered && !o.stopReturned, Input{Do: DoReturnStop, Op: op})
		add(o.inOptional, Input{Do: DoReturnOptional, Op: op})
		add(left.Late > 0 || !o.reported && !o.abandoned, Input{Do: DoReport, Op: op})
		add(left.Progress > 0 && !o.reported, Input{Do: DoProgress, Op: op, Result: operation.Result{
			Position: time.Duration(left.Progress) * time.Second,
		}})
	}
	return all
}

// stateKey is equal for states that have the same future.
type stateKey [2]uint64

var keySeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// key packs what the future depends on: of the machine, and of what the invariants will ask. An
// operation that is through, with queue, media and observers, is left out, and the others are
// counted anew: calls that differ only in what is past are one.
func (s *exploredState) key() (k stateKey) {
	m, v := &s.bare.m, &s.seen
	b := make([]byte, 0, 128)
	for _, left := range []int8{
		s.left.Enqueues, s.left.Interrupts, s.left.Cancels, s.left.Seals, s.left.Closes,
		s.left.Timeouts, s.left.Stale, s.left.Late, s.left.Progress, s.left.Tones, s.left.Protected,
		s.left.Spares, s.left.Next, s.left.Wheres, s.left.Keys, s.left.Repeats,
		s.left.Holds, s.left.Pauses,
	} {
		b = append(b, byte(left)) //nolint:gosec // never negative
	}
	b = append(b, byte(m.phase), byte(m.timeout), byte(m.log.head), byte(cap(m.log.records)),
		flags(v.sealed, v.closed, v.closing.Reason == operation.Succeeded, m.generation == nil,
			m.cold == nil || m.cold.protected == nil, m.paused, v.paused))
	for _, r := range m.log.records[m.log.head:] {
		b = append(b, byte(r.kinds))
	}
	b = append(b, 0xff)
	if m.log.others != nil {
		c := (*m.log.others)[0]
		b = append(b, byte(c.next-m.log.head), byte(c.off))
	}
	waiting := s.bare.Waiting()
	names := make([]byte, max(len(v.ops), 1))
	for _, op := range v.order {
		if s.through(op) {
			continue
		}
		names[op] = byte(len(b))
		b = s.appendKey(b, op, waiting)
	}
	for _, e := range v.events[v.late:] {
		if m.log.observers() > 1 {
			b = append(b, names[e.op], byte(e.kind))
		}
	}
	if s.left.Repeats > 0 || s.left.Keys > 0 {
		b = append(b, byte(v.keys))
		for i := range v.answers {
			a := &v.answers[i]
			age := min(v.now.Sub(a.at), bareKeyAge) / time.Second
			b = append(b, byte(a.key), byte(a.do), byte(a.op), byte(age), byte(len(a.cancelled)))
		}
	}
	for i := range k {
		k[i] = maphash.Bytes(keySeeds[i], b)
	}
	return k
}

// appendKey appends what of one operation matters.
func (s *exploredState) appendKey(b []byte, op Op, waiting []Op) []byte {
	o, e := s.seen.op(op), s.bare.entry(op)
	return append(b,
		byte(1+slices.Index(waiting, op)), byte(e.media),
		flags(e == s.bare.m.current, e == s.bare.armedFor, e.control.Live(), o.done != nil,
			e.protected, e.operation().Position() == o.result.Position, o.position == 0),
		byte(e.stopTones), // the first eight tones: the one that is pressed is among them
		flags(o.started, o.ended, o.released, o.preempted, o.reported, o.abandoned, o.stopping.IsZero(), o.silent != nil),
		byte(e.optional),
		flags(o.startEntered, o.startReturned, o.stopEntered, o.stopReturned,
			o.wantsPause, o.gotPause, o.gotEndLoop, o.inOptional),
		flags(o.prepared),
	)
}

// through reports whether nothing can happen to the operation any more, nor be reported by its
// media.
func (s *exploredState) through(op Op) bool {
	o, e := s.seen.op(op), s.bare.entry(op)
	reports := o.startEntered && (s.left.Late > 0 || !o.reported && !o.abandoned)
	undelivered := s.bare.m.log.observers() > 1 && o.last > s.seen.late
	return o.ended && e != s.bare.m.current && !o.inCallback() && !reports && !undelivered
}

func flags(all ...bool) (b byte) {
	for i, set := range all {
		if set {
			b |= 1 << i
		}
	}
	return b
}

// What the key must know. Whoever gives the machine a new field says here why two states that
// differ in it have the same future, or puts it into the key.
func TestTheKeyKnowsEveryFieldOfTheMachine(t *testing.T) {
	t.Parallel()
	for typ, fields := range map[reflect.Type]string{
		reflect.TypeFor[machine]():   "config generation current waiting log cold phase timeout blocking serves paused", // serves is of the config
		reflect.TypeFor[entry]():     "control next media optional protected stopTones",                                 // protected and the tones are in the key
		reflect.TypeFor[list]():      "head tail n",
		reflect.TypeFor[log]():       "records head undelivered leading others first",
		reflect.TypeFor[cursor]():    "seq next off",
		reflect.TypeFor[record]():    "entry detail kinds",
		reflect.TypeFor[coldState](): "protected answers closing abandoned owed late shell", // closing is asked; the counts decide nothing
	} {
		var got []string
		for f := range typ.Fields() {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != fields {
			t.Errorf("%v has the fields %v, and the key was made for %s", typ, got, fields)
		}
	}
}

// depths are the calls that are explored: by default, with EXPLORE=push and with EXPLORE=deep.
var depths = map[string]map[string]budget{
	"": {
		"repeated calls":  {Enqueues: 1, Interrupts: 1, Cancels: 1, Closes: 1, Keys: 2, Repeats: 1},
		"many operations": {Enqueues: 2, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Timeouts: anyNumber},
		"protected ones":  {Enqueues: 2, Interrupts: 1, Cancels: 1, Closes: 1, Protected: 2, Spares: 1},
		"chosen ones":     {Enqueues: 3, Interrupts: 1, Wheres: 1, Next: 1, Closes: 1},
		"every input":     {Enqueues: 2, Cancels: 1, Closes: 1, Timeouts: 1, Stale: 1, Late: 1, Progress: 1, Tones: 1},
		"a late observer": {Enqueues: 1, Interrupts: 1, Cancels: 1, Closes: 1},
		"paused ones":     {Enqueues: 2, Cancels: 1, Closes: 1, Timeouts: 1, Holds: 1, Pauses: 2},
		"prepared ones":   {Enqueues: 2, Interrupts: 1, Cancels: 1, Closes: 1, Next: 1, Holds: 1},
	},
	"push": {
		"repeated calls":  {Enqueues: 2, Interrupts: 1, Cancels: 1, Closes: 1, Keys: 2, Repeats: 1},
		"many operations": {Enqueues: 3, Interrupts: 2, Cancels: 3, Seals: 1, Closes: 1, Timeouts: 1},
		"protected ones":  {Enqueues: 2, Interrupts: 2, Cancels: 2, Seals: 1, Closes: 1, Protected: 2, Spares: 2},
		"chosen ones":     {Enqueues: 3, Interrupts: 1, Wheres: 1, Next: 1, Seals: 1, Closes: 1, Protected: 1},
		"late reports":    {Enqueues: 2, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Timeouts: anyNumber, Late: 1},
		"paused ones":     {Enqueues: 2, Cancels: 1, Seals: 1, Closes: 1, Timeouts: 1, Holds: 1, Pauses: 2},
		"prepared ones":   {Enqueues: 2, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Next: 1, Holds: 1},
		"every input":     {Enqueues: 2, Interrupts: 1, Cancels: 1, Closes: 1, Timeouts: 1, Stale: 1, Late: 1, Progress: 1},
		"a late observer": {Enqueues: 1, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1},
	},
	"deep": {
		"repeated calls":  {Enqueues: 2, Interrupts: 1, Cancels: 1, Closes: 1, Keys: 3, Repeats: 2},
		"many operations": {Enqueues: 5, Interrupts: 2, Cancels: 3, Seals: 1, Closes: 1, Timeouts: 1},
		"protected ones":  {Enqueues: 3, Interrupts: 2, Cancels: 2, Seals: 1, Closes: 1, Timeouts: 1, Protected: 3, Spares: 2},
		"chosen ones":     {Enqueues: 3, Interrupts: 1, Wheres: 2, Next: 2, Seals: 1, Closes: 1, Timeouts: 1, Protected: 1},
		"paused ones":     {Enqueues: 2, Cancels: 1, Seals: 1, Closes: 1, Timeouts: 1, Late: 1, Holds: 2, Pauses: 2},
		"prepared ones":   {Enqueues: 3, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Next: 1, Holds: 1},
		"late reports":    {Enqueues: 2, Interrupts: 1, Cancels: 2, Seals: 1, Closes: 1, Timeouts: anyNumber, Late: 1},
		"every input":     {Enqueues: 2, Interrupts: 1, Cancels: 1, Seals: 1, Closes: 1, Timeouts: 2, Stale: 1, Late: 1, Progress: 1},
		"a late observer": {Enqueues: 2, Interrupts: 1, Cancels: 1, Closes: 1},
	},
}

func TestTheExplorerReachesEveryState(t *testing.T) {
	t.Parallel()
	depth, ok := depths[os.Getenv("EXPLORE")]
	if !ok {
		t.Fatalf("EXPLORE=%s, want push, deep or nothing", os.Getenv("EXPLORE"))
	}
	for name, b := range depth {
		for form := range 4 {
			x := exploration{budget: b}
			x.config.Blocking, x.config.RunTimeout = form&1 != 0, form&2 != 0
			x.config.Optional = name == "paused ones" && !x.config.Blocking
			x.config.Prepares = name == "prepared ones" && !x.config.Blocking
			if name == "a late observer" {
				x.config.observers = 1
			}
			t.Run(fmt.Sprintf("%s, blocking %v, run timeout %v", name, x.config.Blocking, x.config.RunTimeout), func(t *testing.T) {
				t.Parallel()
				found := explore(x)
				t.Log(found)
				if found.err != nil || found.states < 300 {
					t.Fatal(found)
				}
			})
		}
	}
}
