package trace_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/internal/trace"
)

// good is a call in which everything is as it should be: a is cancelled while it plays, b while it
// waits, c plays to its end, d barges in on e, and f is given up when the call ends.
const good = `
called enqueue #1 at=0s
told accepted op=a seq=1 time=1ms
told accepted op=a seq=1 time=1ms who=1
heard
heard who=1
told started op=a seq=2 time=1ms
told started op=a seq=2 time=1ms who=1
heard
heard who=1
returned enqueue #1 op=a at=2ms
start-entered op=a at=3ms
start-returned op=a
subscribed who=0
pressed seq=1 at=3ms
took seq=1 time=3ms

called enqueue #2 at=4ms
told accepted op=b seq=3 time=4ms
heard
returned enqueue #2 op=b
asked #3 op=b
read notStarted #3 op=b
asked #4
snapped #4 ops=a,b

called cancel-all #5 at=5ms
asked #6 op=a
live #6 op=a
told ended op=a seq=4 time=5ms reason=cancelled position=7ms
heard
told ended op=b seq=5 time=5ms reason=cancelled
heard
asked #7 op=b
read failed #7 op=b reason=cancelled
asked #8 op=a
read failed #8 op=a reason=cancelled
asked #9
snapped #9
returned cancel-all #5 ops=a,b at=6ms
followed op=a
followed op=b
asked #10 op=a
live #10 op=a no
pressed seq=2
took seq=2 time=6ms

called enqueue #11 at=7ms
told accepted op=c seq=6 time=7ms
heard
returned enqueue #11 op=c
stop-entered op=a at=8ms
called end #12 op=a position=1ns
told released op=a seq=7 time=9ms reason=cancelled position=1ns
heard
told started op=c seq=8 time=9ms
heard
returned end #12
stop-returned op=a
start-entered op=c at=10ms
called end #13 op=c position=2ns
told ended op=c seq=9 time=10ms reason=succeeded position=2ns
heard
returned end #13
called end #14 op=c position=3ns
returned end #14
start-returned op=c

called enqueue #15 at=11ms
told accepted op=e seq=10 time=11ms
heard
told started op=e seq=11 time=11ms
heard
returned enqueue #15 op=e
called interrupt #16 at=12ms
told ended op=e seq=12 time=12ms reason=bargedIn
heard
told accepted op=d seq=13 time=12ms
heard
told started op=d seq=14 time=12ms
heard
returned interrupt #16 op=d ops=e
start-entered op=d
start-returned op=d
called end #17 op=d position=4ns at=13ms
told ended op=d seq=15 time=13ms reason=succeeded position=4ns
heard
returned end #17
quiet at=14ms

called barge-in #18
told accepted op=f seq=16 time=14ms
heard
told started op=f seq=17 time=14ms
heard
returned barge-in #18 op=f
start-entered op=f
start-returned op=f
called close #19 at=20ms
told ended op=f seq=18 time=20ms reason=callEnded
heard
returned close #19 ops=f
stop-entered op=f
stop-returned op=f
told released op=f seq=19 time=30ms reason=abandoned at=30ms
heard
told closed seq=20 time=30ms
heard
// the second observer is told the rest
told accepted op=b seq=3 time=4ms who=1
heard who=1
told ended op=a seq=4 time=5ms reason=cancelled position=7ms who=1
heard who=1
told ended op=b seq=5 time=5ms reason=cancelled who=1
heard who=1
told accepted op=c seq=6 time=7ms who=1
heard who=1
told released op=a seq=7 time=9ms reason=cancelled position=1ns who=1
heard who=1
told started op=c seq=8 time=9ms who=1
heard who=1
told ended op=c seq=9 time=10ms reason=succeeded position=2ns who=1
heard who=1
told accepted op=e seq=10 time=11ms who=1
heard who=1
told started op=e seq=11 time=11ms who=1
heard who=1
told ended op=e seq=12 time=12ms reason=bargedIn who=1
heard who=1
told accepted op=d seq=13 time=12ms who=1
heard who=1
told started op=d seq=14 time=12ms who=1
heard who=1
told ended op=d seq=15 time=13ms reason=succeeded position=4ns who=1
heard who=1
told accepted op=f seq=16 time=14ms who=1
heard who=1
told started op=f seq=17 time=14ms who=1
heard who=1
told ended op=f seq=18 time=20ms reason=callEnded who=1
heard who=1
told released op=f seq=19 time=30ms reason=abandoned who=1
heard who=1
told closed seq=20 time=30ms who=1
heard who=1
done at=31ms
tones-over
called end #20 op=f position=5ns
returned end #20
`

var terms = trace.Terms{
	StopTimeout: 10 * time.Millisecond, RunTimeout: 5 * time.Millisecond, Call: 5 * time.Millisecond,
	OnItsWay: 2 * time.Millisecond, Tone: time.Millisecond,
}

func check(t *testing.T, text string) []trace.Violation {
	t.Helper()
	items, err := trace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return trace.Check(items, terms)
}

func TestAGoodTraceHasNoViolation(t *testing.T) {
	t.Parallel()
	for _, v := range check(t, good) {
		t.Error(v)
	}
}

func TestATraceIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	items, err := trace.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	text := trace.Format(items)
	again, err := trace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := trace.Format(again); got != text {
		t.Errorf("got %s\nwant %s", got, text)
	}
	for _, line := range []string{"nothing", "called nothing", "told seq=x", "told nonsense=1", "read reason=none"} {
		if _, err := trace.Parse("done\n" + line); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// broken are traces with one thing wrong: the good one with a text replaced by another. The checker
// must say the rule, and the words.
var broken = []struct {
	name     string
	old, new string
	rule     string
	says     string
}{
	{
		"accepted before one whose Enqueue had returned", "called enqueue #1 at=0s",
		"called enqueue #30 at=0s\nreturned enqueue #30 op=b\ncalled enqueue #1",
		"G1", "a was accepted before b",
	},
	{
		"started against the order of acceptance",
		"told started op=c seq=8 time=9ms\nheard\nreturned",
		"told started op=c seq=12 time=9ms\nheard\nreturned", "G1", "e was started before c",
	},
	{"Start entered against the order", "start-entered op=c at=10ms", "start-entered op=d\nstart-entered op=c at=10ms", "G1", "Start of d was entered before that of c"},

	{
		"started while another runs", "told ended op=a seq=4 time=5ms reason=cancelled position=7ms\nheard\ntold",
		"told ended op=a seq=9 time=5ms reason=cancelled position=7ms\nheard\ntold", "G2", "c was started while a was running",
	},
	{
		"started before the media was released", "told released op=a seq=7 time=9ms reason=cancelled position=1ns\nheard\ntold",
		"told released op=a seq=9 time=9ms reason=cancelled position=1ns\nheard\ntold", "G2", "before the media of a was released",
	},
	{"Start entered before the one before was reported", "called end #12", "start-entered op=c at=10ms\ncalled end #12", "G2", "c was entered while a was not reported"},
	{"Start entered while another Start is in", "start-returned op=a\n", "", "G2", "while a was in its Start"},
	{"Start entered while a Stop is in", "stop-returned op=a\nstart-entered op=c", "start-entered op=c", "G2", "while a was in its Stop"},

	{
		"an end told twice", "told started op=c seq=8 time=9ms\nheard\nreturned",
		"told ended op=a seq=8 time=9ms\nheard\nreturned", "G3", "a was told to be ended 2 times",
	},
	{"an end never told", "told ended op=c seq=9 time=10ms reason=succeeded position=2ns\nheard\nreturned", "returned", "G3", "its end 0 times"},
	{"an end of nothing", "quiet", "told ended op=z seq=15 reason=succeeded\nquiet", "G3", "z was told, which was never accepted"},
	{"ended before it was accepted", "told ended op=c seq=9 time=10ms", "told ended op=c seq=5 time=10ms", "G3", "c was told to be ended too early"},
	{"completed without a start", "told started op=c seq=8 time=9ms\nheard\nreturned", "returned", "G3", "c ended with succeeded (200/0) and was never started"},
	{"read as another end than told", "read failed #7 op=b reason=cancelled", "read completed #7 op=b reason=succeeded", "G3", "b was read as succeeded"},
	{"a status that is not its reason's", "read failed #7 op=b", "read completed #7 op=b", "G3", "b was read as completed because of cancelled"},
	{"alive again after its end", "pressed seq=2", "asked #31 op=b\nread notStarted #31 op=b\npressed seq=2", "G3", "after it had been read as ended"},

	{"half a cancel, as read", "read failed #8 op=a reason=cancelled", "read running #8 op=a", "G4", "a was read as running after cancel-all #5 had ended another"},
	{"half a cancel, in a snapshot", "snapped #9", "snapped #9 ops=a", "G4", "a snapshot shows a, and not b"},
	{"ended at two times", "told ended op=b seq=5 time=5ms", "told ended op=b seq=5 time=6ms", "G4", "ended a and b at two times"},
	{"ended apart", "told ended op=b seq=5 time=5ms reason=cancelled\nheard\nasked", "told ended op=b seq=21 time=5ms reason=cancelled\nheard\nasked", "G4", "events 21 and 4"},
	{"a receipt in another order", "ops=a,b at=6ms", "ops=b,a at=6ms", "G4", "not in queue order"},
	{"one forgotten by a cancel", "returned cancel-all #5 ops=a,b", "returned cancel-all #5 ops=b\ncalled cancel #32\nreturned cancel #32 ops=a", "G4", "a, accepted before cancel-all #5 was called, lived on"},
	{"one forgotten that ended well", "called end #17 op=d position=4ns at=13ms", "called cancel-all #33\nreturned cancel-all #33\ncalled end #17 op=d position=4ns at=13ms", "G4", "d, accepted before cancel-all #33"},
	{"Done that does not follow", "followed op=b", "followed op=b no", "G4", "b had ended"},

	{"live after a cancel has returned", "live #10 op=a no", "live #10 op=a", "G5", "a was live after cancel-all #5 had returned"},
	{"Start entered without a start", "told started op=f seq=17 time=14ms\nheard\nreturned", "returned", "G5", "Start of f was entered, which was never started"},
	{"Start entered long after the end", "stop-entered op=f", "start-entered op=g at=25ms\ntold ended op=g seq=19 time=20ms\nstop-entered op=f", "G5", "Start of g was entered 5ms after it had ended"},
	{"Start entered twice", "quiet", "start-entered op=d\nquiet", "G5", "Start of d was entered 2 times"},

	{"dead of an earlier cancel", "start-entered op=c at=10ms", "asked #41 op=c\nread failed #41 op=c reason=cancelled\nstart-entered op=c at=10ms", "G6", "no cancel was under way since it was enqueued"},
	{"ended by an earlier cancel", "ops=a,b at=6ms", "ops=a,b,c at=6ms", "G6", "c was enqueued after cancel-all #5"},

	{"something between a barge-in and its operation", "told accepted op=d seq=13", "told accepted op=d seq=21", "G7", "something got between Interrupt #16"},
	{"a refused Interrupt with victims", "returned interrupt #16 op=d ops=e", "returned interrupt #16 no ops=e", "G7", "was refused and has 1 victims"},

	{"a victim in no receipt", "returned close #19 ops=f", "returned close #19", "G8", "f, which ended with callEnded (400/8528), is in 0 receipts"},
	{"a victim in two receipts", "quiet at=14ms", "called cancel #35\nreturned cancel #35 ops=a\nquiet at=14ms", "G8", "is in 2 receipts"},
	{"a receipt of one that ended well", "returned close #19 ops=f", "returned close #19 ops=c,f", "G8", "c, which ended with succeeded (200/0), is in 1 receipts"},
	{"a reason of another call", "returned close #19 ops=f", "returned close #19\ncalled cancel #36\nreturned cancel #36 ops=f", "G8", "is in a receipt of cancel"},

	{"a tone out of number", "pressed seq=2", "pressed seq=3", "G9", "the tone pressed as number 2 has number 3"},
	{"a tone that is not taken", "took seq=2 time=6ms\n", "", "G9", "took tones up to 1 of 2"},
	{"a tone taken twice", "took seq=2 time=6ms\n", "took seq=2 time=6ms\ntook seq=2 time=6ms\n", "G9", "took tone 2, with 0 lost; want 3"},
	{"a loss that is not told", "took seq=1 time=3ms\n", "", "G9", "took tone 2, with 0 lost; want 1"},
	{"a tone that was held up", "took seq=1 time=3ms", "took seq=1 time=1ms", "G9", "took tone 1 after 2ms"},

	{"a gap in the events", "told released op=a seq=7 time=9ms reason=cancelled position=1ns\nheard\ntold", "told", "G10", "observer 0 was told event 8, want 7"},
	{"two events at once", "heard\ntold closed", "told closed", "G10", "was told event 20 during another"},
	{"an observer that was not told all", "told closed seq=20 time=30ms who=1", "", "G10", "observer 1 was told 19 events of 20"},
	{"observers that are told different things", "told started op=a seq=2 time=1ms who=1", "told started op=b seq=2 time=1ms who=1", "G10", "event 2 is started of a to one observer and started of b"},
	{"times that go back", "told accepted op=b seq=3 time=4ms\n", "told accepted op=b seq=3 time=0s\n", "G10", "event 3 has a time before"},

	{"a call that never returns", "returned enqueue #11 op=c", "", "G11", "enqueue #11 never returned"},
	{"a call that is held up", "returned cancel-all #5 ops=a,b at=6ms", "returned cancel-all #5 ops=a,b at=11ms", "G11", "cancel-all #5 took 6ms"},

	{"one that waits for nothing", "quiet", "quiet ops=c", "G12", "1 operations are left, c first"},

	{"one that is not told", "quiet", "quiet lost=2", "G12", "2 entries of the log are left"},

	{"released without need", "told ended op=e seq=12", "told released op=d seq=12", "G13", "d was released, which ended with succeeded"},
	{"never released", "told released op=a seq=7 time=9ms reason=cancelled position=1ns\nheard\ntold", "told", "G13", "a was ended over its media's head and never released"},
	{"Stop before Start", "start-returned op=f", "", "G13", "Stop of f was entered before its Start had returned"},
	{"Stop after a report", "stop-entered op=a at=8ms", "called end #40 op=a position=1ns at=5ms\nreturned end #40\nstop-entered op=a at=8ms", "G13", "Stop of a was entered after it had been reported"},
	{"Stop entered twice", "stop-entered op=f", "stop-entered op=f\nstop-entered op=f", "G13", "Stop of f was entered 2 times"},
	{"Stop after its own end", "stop-entered op=f", "stop-entered op=d", "G13", "Stop of d was entered, which ended with succeeded"},
	{
		"a later report that counts", "told ended op=c seq=9 time=10ms reason=succeeded position=2ns\nheard\nreturned end #13\ncalled end #14 op=c position=3ns\n",
		"returned end #13\ncalled end #14 op=c position=3ns\ntold ended op=c seq=9 time=10ms reason=succeeded position=3ns\nheard\n", "G13", "another report had come before",
	},
	{"an end that nobody reported", "told ended op=d seq=15 time=13ms reason=succeeded position=4ns\nheard\nreturned", "told ended op=d seq=15 time=13ms reason=succeeded position=6ns\nheard\nreturned", "G13", "which no report had"},
	{"an end before its report", "called end #17 op=d position=4ns at=13ms\ntold ended op=d seq=15 time=13ms reason=succeeded position=4ns\nheard\n", "told ended op=d seq=15 time=13ms reason=succeeded position=4ns\nheard\ncalled end #17 op=d position=4ns at=13ms\n", "G13", "before it was reported"},
	{"given up too early", "told released op=f seq=19 time=30ms reason=abandoned at=30ms", "told released op=f seq=19 time=25ms reason=abandoned at=30ms", "G13", "the media of f was given up after 5ms"},
	{"given up though it had reported", "told released op=f seq=19", "called end #37 op=f position=8ns at=21ms\nreturned end #37\ntold released op=f seq=19", "G13", "though it had reported"},
	{
		"timed out though it told progress", "called close #19 at=20ms\ntold ended op=f seq=18 time=20ms reason=callEnded",
		"progressing #42 op=f at=18ms\nprogressed #42 op=f\ncalled close #19 at=20ms\ntold ended op=f seq=18 time=20ms reason=timedOut",
		"G13", "f was timed out 2ms after it had told progress",
	},
	{"timed out without a run timeout", "told ended op=c seq=9 time=10ms reason=succeeded position=2ns\nheard\nreturned", "told ended op=c seq=9 time=10ms reason=timedOut\nheard\nreturned", "G13", "c was timed out after 1ms"},

	{"accepted after Close", "told closed seq=20 time=30ms\n", "called enqueue #38\ntold accepted op=g seq=20 time=30ms\nreturned enqueue #38 op=g\ntold closed seq=21 time=30ms\n", "G14", "g was accepted after Close"},
	{"an event after Closed", "told closed seq=20 time=30ms\nheard\n", "told closed seq=20 time=30ms\nheard\ntold started op=g seq=21 time=30ms\nheard\n", "G14", "event 21, after Closed, is started"},
	{"no Closed", "told closed seq=20 time=30ms\nheard\n", "", "G14", "Closed was told 0 times"},
	{"Done inside a callback", "start-returned op=c\n", "", "G14", "Done came while the media was inside a callback of c"},
	{
		"given up long after Close", "stop-returned op=f\ntold released op=f seq=19 time=30ms reason=abandoned at=30ms",
		"told released op=f seq=19 time=30ms reason=abandoned at=100ms", "G14", "inside a callback of f long after Close",
	},
	{"a callback after Done", "called end #20", "stop-entered op=d\ncalled end #20", "G14", "after Done: stop-entered op=d"},
}

func TestTheCheckerCatchesEveryBrokenTrace(t *testing.T) {
	t.Parallel()
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			if n := strings.Count(good, b.old); n == 0 {
				t.Fatalf("the good trace has no %q", b.old)
			}
			found := check(t, strings.Replace(good, b.old, b.new, 1))
			if !catches(found, b.rule, b.says) {
				t.Errorf("want %s: %s\ngot %v", b.rule, b.says, found)
			}
		})
	}
}

func catches(found []trace.Violation, rule, says string) bool {
	return slices.ContainsFunc(found, func(v trace.Violation) bool {
		return v.Rule == rule && strings.Contains(v.Text, says)
	})
}

// No rule is there in vain: without it, some broken trace is not caught.
func TestEveryRuleIsNeeded(t *testing.T) {
	t.Parallel()
	for n := range trace.Rules {
		needed := false
		for _, b := range broken {
			items, err := trace.Parse(strings.Replace(good, b.old, b.new, 1))
			if err != nil {
				t.Fatal(err)
			}
			found, rule := trace.CheckWithout(n, items, terms)
			needed = needed || b.rule == rule && !catches(found, b.rule, b.says)
		}
		if !needed {
			_, rule := trace.CheckWithout(n, nil, terms)
			t.Errorf("rule %d, of %s, catches nothing that no other rule does", n, rule)
		}
	}
}
