package trace_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/internal/trace"
)

// good is a call in which everything is as it should be: a is cancelled while it plays, b while it
// waits, c plays to its end, d barges in on e, and f is abandoned when the call ends, and reports late.
const good = `
called enqueue #1 at=0s
delivering accepted op=a seq=1 time=1ms
delivering accepted op=a seq=1 time=1ms who=1
delivered
delivered who=1
delivering started op=a seq=2 time=1ms
delivering started op=a seq=2 time=1ms who=1
delivered
delivered who=1
returned enqueue #1 op=a at=2ms
start-entered op=a at=3ms
start-returned op=a
subscribed who=0
pressed seq=1 at=3ms
took seq=1 time=3ms

called enqueue #2 at=4ms
delivering accepted op=b seq=3 time=4ms
delivered
returned enqueue #2 op=b
asked #3 op=b
read notStarted #3 op=b
asked #4
snapped #4 ops=a,b

called cancel-all #5 at=5ms
asked #6 op=a
live #6 op=a
delivering ended op=a seq=4 time=5ms reason=cancelled position=7ms
delivered
delivering ended op=b seq=5 time=5ms reason=cancelled
delivered
asked #7 op=b
read failed #7 op=b reason=cancelled
asked #8 op=a
read failed #8 op=a reason=cancelled
asked #9
snapped #9
returned cancel-all #5 ops=a,b at=6ms
followed op=a
followed op=b
repeated op=b
asked #10 op=a
live #10 op=a no
pressed seq=2
took seq=2 time=6ms

called enqueue #11 at=7ms
delivering accepted op=c seq=6 time=7ms
delivered
returned enqueue #11 op=c
stop-entered op=a at=8ms
called end #12 op=a position=1ns
delivering released op=a seq=7 time=9ms reason=cancelled position=1ns
delivered
delivering started op=c seq=8 time=9ms
delivered
returned end #12
stop-returned op=a
start-entered op=c at=10ms
called end #13 op=c position=2ns
delivering ended op=c seq=9 time=10ms reason=succeeded position=2ns
delivered
returned end #13
called end #14 op=c position=3ns
returned end #14
start-returned op=c

called enqueue #15 at=11ms
delivering accepted op=e seq=10 time=11ms
delivered
delivering started op=e seq=11 time=11ms
delivered
returned enqueue #15 op=e
called interrupt #16 at=12ms
delivering ended op=e seq=12 time=12ms reason=bargedIn by=d
delivered
delivering accepted op=d seq=13 time=12ms
delivered
delivering started op=d seq=14 time=12ms
delivered
returned interrupt #16 op=d ops=e
start-entered op=d
start-returned op=d
called end #17 op=d position=4ns at=13ms
delivering ended op=d seq=15 time=13ms reason=succeeded position=4ns
delivered
returned end #17
quiet at=14ms

called barge-in #18
delivering accepted op=f seq=16 time=14ms
delivered
delivering started op=f seq=17 time=14ms
delivered
returned barge-in #18 op=f
start-entered op=f
start-returned op=f
called close #19 at=20ms
delivering ended op=f seq=18 time=20ms reason=callEnded
delivered
returned close #19 ops=f
stop-entered op=f
stop-returned op=f
delivering released op=f seq=19 time=30ms reason=abandoned at=30ms
delivered
delivering closed seq=20 time=30ms
delivered
// the second observer gets the rest
delivering accepted op=b seq=3 time=4ms who=1
delivered who=1
delivering ended op=a seq=4 time=5ms reason=cancelled position=7ms who=1
delivered who=1
delivering ended op=b seq=5 time=5ms reason=cancelled who=1
delivered who=1
delivering accepted op=c seq=6 time=7ms who=1
delivered who=1
delivering released op=a seq=7 time=9ms reason=cancelled position=1ns who=1
delivered who=1
delivering started op=c seq=8 time=9ms who=1
delivered who=1
delivering ended op=c seq=9 time=10ms reason=succeeded position=2ns who=1
delivered who=1
delivering accepted op=e seq=10 time=11ms who=1
delivered who=1
delivering started op=e seq=11 time=11ms who=1
delivered who=1
delivering ended op=e seq=12 time=12ms reason=bargedIn by=d who=1
delivered who=1
delivering accepted op=d seq=13 time=12ms who=1
delivered who=1
delivering started op=d seq=14 time=12ms who=1
delivered who=1
delivering ended op=d seq=15 time=13ms reason=succeeded position=4ns who=1
delivered who=1
delivering accepted op=f seq=16 time=14ms who=1
delivered who=1
delivering started op=f seq=17 time=14ms who=1
delivered who=1
delivering ended op=f seq=18 time=20ms reason=callEnded who=1
delivered who=1
delivering released op=f seq=19 time=30ms reason=abandoned who=1
delivered who=1
delivering closed seq=20 time=30ms who=1
delivered who=1
done at=31ms
called end #21 op=f position=9ns
delivering late op=f seq=21 time=31ms reason=stopTone position=9ns
delivered
delivering late op=f seq=21 time=31ms reason=stopTone position=9ns who=1
delivered who=1
returned end #21
asked #22 op=f
final #22 op=f reason=stopTone position=9ns
tones-over at=99ms
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
	for _, line := range []string{"nothing", "called nothing", "delivering seq=x", "delivering nonsense=1", "read reason=none"} {
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
		"delivering started op=c seq=8 time=9ms\ndelivered\nreturned",
		"delivering started op=c seq=12 time=9ms\ndelivered\nreturned", "G1", "e was started before c, which was before it",
	},
	{"Start entered against the order", "start-entered op=c at=10ms", "start-entered op=d\nstart-entered op=c at=10ms", "G1", "Start of d was entered before that of c"},

	{
		"started while another runs", "delivering ended op=a seq=4 time=5ms reason=cancelled position=7ms\ndelivered\ndelivering",
		"delivering ended op=a seq=9 time=5ms reason=cancelled position=7ms\ndelivered\ndelivering", "G2", "c was started while a was running",
	},
	{
		"started before the media was released", "delivering released op=a seq=7 time=9ms reason=cancelled position=1ns\ndelivered\ndelivering",
		"delivering released op=a seq=9 time=9ms reason=cancelled position=1ns\ndelivered\ndelivering", "G2", "before the media of a was released",
	},
	{"Start entered before the one before was reported", "called end #12", "start-entered op=c at=10ms\ncalled end #12", "G2", "c was entered while a was not reported"},
	{"Start entered while another Start is in", "start-returned op=a\n", "", "G2", "while a was in its Start"},
	{"Start entered while a Stop is in", "stop-returned op=a\nstart-entered op=c", "start-entered op=c", "G2", "while a was in its Stop"},

	{
		"an end delivered twice", "delivering started op=c seq=8 time=9ms\ndelivered\nreturned",
		"delivering ended op=a seq=8 time=9ms\ndelivered\nreturned", "G3", "a was ended 2 times",
	},
	{"an end never delivered", "delivering ended op=c seq=9 time=10ms reason=succeeded position=2ns\ndelivered\nreturned", "returned", "G3", "ended 0 times"},
	{"an end of nothing", "quiet", "delivering ended op=z seq=15 reason=succeeded\nquiet", "G3", "z ended, which was never accepted"},
	{"ended before it was accepted", "delivering ended op=c seq=9 time=10ms", "delivering ended op=c seq=5 time=10ms", "G3", "c was ended too early"},
	{"completed without a start", "delivering started op=c seq=8 time=9ms\ndelivered\nreturned", "returned", "G3", "c ended with succeeded (200/0) and was never started"},
	{"read as another end than delivered", "read failed #7 op=b reason=cancelled", "read completed #7 op=b reason=succeeded", "G3", "b was read as succeeded"},
	{"a status that is not its reason's", "read failed #7 op=b", "read completed #7 op=b", "G3", "b was read as completed because of cancelled"},
	{"alive again after its end", "pressed seq=2", "asked #31 op=b\nread notStarted #31 op=b\npressed seq=2", "G3", "after it had been read as ended"},

	{"half a cancel, as read", "read failed #8 op=a reason=cancelled", "read running #8 op=a", "G4", "a was read as running after cancel-all #5 had ended another"},
	{"half a cancel, in a snapshot", "snapped #9", "snapped #9 ops=a", "G4", "a snapshot shows a, and not b"},
	{"ended at two times", "delivering ended op=b seq=5 time=5ms", "delivering ended op=b seq=5 time=6ms", "G4", "ended a and b at two times"},
	{"ended apart", "delivering ended op=b seq=5 time=5ms reason=cancelled\ndelivered\nasked", "delivering ended op=b seq=21 time=5ms reason=cancelled\ndelivered\nasked", "G4", "events 21 and 4"},
	{"a receipt in another order", "ops=a,b at=6ms", "ops=b,a at=6ms", "G4", "not in queue order"},
	{"one forgotten by a cancel", "returned cancel-all #5 ops=a,b", "returned cancel-all #5 ops=b\ncalled cancel #32\nreturned cancel #32 ops=a", "G4", "a, accepted before cancel-all #5 was called, lived on"},
	{"one forgotten that ended well", "called end #17 op=d position=4ns at=13ms", "called cancel-all #33\nreturned cancel-all #33\ncalled end #17 op=d position=4ns at=13ms", "G4", "d, accepted before cancel-all #33"},
	{"a repeat that is another call", "repeated op=b", "repeated op=b no", "repeats", "b is of"},
	{"Done that does not follow", "followed op=b", "followed op=b no", "G4", "b had ended"},

	{"live after a cancel has returned", "live #10 op=a no", "live #10 op=a", "G5", "a was live after cancel-all #5 had returned"},
	{"Start entered without a start", "delivering started op=f seq=17 time=14ms\ndelivered\nreturned", "returned", "G5", "Start of f was entered, which was never started"},
	{"Start entered long after the end", "stop-entered op=f", "start-entered op=g at=25ms\ndelivering ended op=g seq=19 time=20ms\nstop-entered op=f", "G5", "Start of g was entered 5ms after it had ended"},
	{"Start entered twice", "quiet", "start-entered op=d\nquiet", "G5", "Start of d was entered 2 times"},

	{"dead of an earlier cancel", "start-entered op=c at=10ms", "asked #41 op=c\nread failed #41 op=c reason=cancelled\nstart-entered op=c at=10ms", "G6", "no cancel was under way since it was enqueued"},
	{"ended by an earlier cancel", "ops=a,b at=6ms", "ops=a,b,c at=6ms", "G6", "c was enqueued after cancel-all #5"},

	{"a protected one that was barged in on", "returned enqueue #15 op=e", "returned enqueue #15 op=e protected", "G6", "e, which is protected, was barged in on"},

	{"an end by another than it was", "reason=bargedIn by=d\n", "reason=bargedIn by=c\n", "cause", "e was ended by c, says its event, and it was d"},

	{"something between a barge-in and its operation", "delivering accepted op=d seq=13", "delivering accepted op=d seq=21", "G7", "something got between Interrupt #16"},
	{"a refused Interrupt that cancels", "returned interrupt #16 op=d ops=e", "returned interrupt #16 no ops=e", "G7", "was refused and has cancelled 1"},

	{"in no receipt", "returned close #19 ops=f", "returned close #19", "G8", "f, which ended with callEnded (400/8528), is in 0 receipts"},
	{"in two receipts", "quiet at=14ms", "called cancel #35\nreturned cancel #35 ops=a\nquiet at=14ms", "G8", "is in 2 receipts"},
	{"a receipt of one that ended well", "returned close #19 ops=f", "returned close #19 ops=c,f", "G8", "c, which ended with succeeded (200/0), is in 1 receipts"},
	{"a reason of another call", "returned close #19 ops=f", "returned close #19\ncalled cancel #36\nreturned cancel #36 ops=f", "G8", "is in a receipt of cancel"},

	{"a tone out of number", "pressed seq=2", "pressed seq=3", "G9", "the tone pressed as number 2 has number 3"},
	{"a tone that is not taken", "took seq=2 time=6ms\n", "", "G9", "took tones up to 1 of 2"},
	{"a tone taken twice", "took seq=2 time=6ms\n", "took seq=2 time=6ms\ntook seq=2 time=6ms\n", "G9", "took tone 2, with 0 lost; want 3"},
	{"a loss that is not reported", "took seq=1 time=3ms\n", "", "G9", "took tone 2, with 0 lost; want 1"},
	{"a tone that was held up", "took seq=1 time=3ms", "took seq=1 time=1ms", "G9", "took tone 1 after 2ms"},

	{"a gap in the events", "delivering released op=a seq=7 time=9ms reason=cancelled position=1ns\ndelivered\ndelivering", "delivering", "G10", "observer 0 got event 8, want 7"},
	{"two events at once", "delivered\ndelivering closed", "delivering closed", "G10", "got event 20 during another"},
	{"an observer that did not get all", "delivering closed seq=20 time=30ms who=1", "", "G10", "observer 1 got 19 events of 20"},
	{"observers that get different things", "delivering started op=a seq=2 time=1ms who=1", "delivering started op=b seq=2 time=1ms who=1", "G10", "event 2 is started of a to one observer and started of b"},
	{"times that go back", "delivering accepted op=b seq=3 time=4ms\n", "delivering accepted op=b seq=3 time=0s\n", "G10", "event 3 has a time before"},

	{"a call that never returns", "returned enqueue #11 op=c", "", "G11", "enqueue #11 never returned"},
	{"a call that is held up", "returned cancel-all #5 ops=a,b at=6ms", "returned cancel-all #5 ops=a,b at=11ms", "G11", "cancel-all #5 took 6ms"},

	{"one that waits for nothing", "quiet", "quiet ops=c", "G12", "1 operations are left, c first"},

	{"one that is not delivered", "quiet", "quiet lost=2", "G12", "2 entries of the log are left"},

	{"released without need", "delivering ended op=e seq=12", "delivering released op=d seq=12", "G13", "d was released, which ended with succeeded"},
	{"never released", "delivering released op=a seq=7 time=9ms reason=cancelled position=1ns\ndelivered\ndelivering", "delivering", "G13", "a was preempted and never released"},
	{"Stop before Start", "start-returned op=f", "", "G13", "Stop of f was entered before its Start had returned"},
	{"Stop after a report", "stop-entered op=a at=8ms", "called end #40 op=a position=1ns at=5ms\nreturned end #40\nstop-entered op=a at=8ms", "G13", "Stop of a was entered after it had been reported"},
	{"Stop entered twice", "stop-entered op=f", "stop-entered op=f\nstop-entered op=f", "G13", "Stop of f was entered 2 times"},
	{"Stop after its own end", "stop-entered op=f", "stop-entered op=d", "G13", "Stop of d was entered, which ended with succeeded"},
	{
		"a later report that counts", "delivering ended op=c seq=9 time=10ms reason=succeeded position=2ns\ndelivered\nreturned end #13\ncalled end #14 op=c position=3ns\n",
		"returned end #13\ncalled end #14 op=c position=3ns\ndelivering ended op=c seq=9 time=10ms reason=succeeded position=3ns\ndelivered\n", "G13", "another report had come before",
	},
	{"an end that nobody reported", "delivering ended op=d seq=15 time=13ms reason=succeeded position=4ns\ndelivered\nreturned", "delivering ended op=d seq=15 time=13ms reason=succeeded position=6ns\ndelivered\nreturned", "G13", "which no report had"},
	{"an end before its report", "called end #17 op=d position=4ns at=13ms\ndelivering ended op=d seq=15 time=13ms reason=succeeded position=4ns\ndelivered\n", "delivering ended op=d seq=15 time=13ms reason=succeeded position=4ns\ndelivered\ncalled end #17 op=d position=4ns at=13ms\n", "G13", "before it was reported"},
	{"abandoned too early", "delivering released op=f seq=19 time=30ms reason=abandoned at=30ms", "delivering released op=f seq=19 time=25ms reason=abandoned at=30ms", "G13", "the media of f was abandoned after 5ms"},
	{"abandoned though it had reported", "delivering released op=f seq=19", "called end #37 op=f position=8ns at=21ms\nreturned end #37\ndelivering released op=f seq=19", "G13", "though it had reported"},
	{
		"timed out though it showed progress", "called close #19 at=20ms\ndelivering ended op=f seq=18 time=20ms reason=callEnded",
		"progressing #42 op=f at=18ms\nprogressed #42 op=f\ncalled close #19 at=20ms\ndelivering ended op=f seq=18 time=20ms reason=timedOut",
		"G13", "f was timed out 2ms after its last progress",
	},
	{"timed out without a run timeout", "delivering ended op=c seq=9 time=10ms reason=succeeded position=2ns\ndelivered\nreturned", "delivering ended op=c seq=9 time=10ms reason=timedOut\ndelivered\nreturned", "G13", "c was timed out after 1ms"},

	{
		"a late report that is not delivered", "delivering late op=f seq=21 time=31ms reason=stopTone position=9ns\ndelivered\n", "",
		"G13", "f was abandoned and has reported since, and that was not delivered",
	},
	{
		"a late report delivered twice", "delivering late op=f seq=21 time=31ms reason=stopTone position=9ns\ndelivered\n",
		"delivering late op=f seq=21 time=31ms reason=stopTone position=9ns\ndelivered\ndelivering late op=f seq=22 time=31ms reason=stopTone position=9ns\ndelivered\n",
		"G13", "f was late 2 times",
	},
	{"late and never abandoned", "delivering late op=f", "delivering late op=a", "G13", "a was late, and not abandoned before"},
	{"a final result that is not the last one delivered", "final #22 op=f reason=stopTone position=9ns", "final #22 op=f reason=abandoned", "G13", "the final result of f is abandoned"},
	{"no final result", "final #22 op=f reason=stopTone position=9ns", "final #22 op=f no", "G13", "f was released and had no final result"},

	{"a key that was not pressed", "delivering ended op=c seq=9 time=10ms reason=succeeded", "delivering ended op=c seq=9 time=10ms reason=keyPressed", "keys", "c ended by a key, and none was pressed that could"},
	{
		"a key that ends nothing", "returned barge-in #18 op=f\nstart-entered op=f\nstart-returned op=f\n",
		"returned barge-in #18 op=f keys\nstart-entered op=f\nstart-returned op=f\ncalled tone #60 time=18ms at=18ms\nreturned tone #60\n",
		"keys", "f ran when tone #60 was called, and was not ended",
	},

	{"accepted after Close", "delivering closed seq=20 time=30ms\n", "called enqueue #38\ndelivering accepted op=g seq=20 time=30ms\nreturned enqueue #38 op=g\ndelivering closed seq=21 time=30ms\n", "G14", "g was accepted after Close"},
	{"an event after Closed", "delivering late op=f seq=21", "delivering started op=g seq=21", "G14", "event 21, after Closed, is started"},
	{"no Closed", "delivering closed seq=20 time=30ms\ndelivered\n", "", "G14", "Closed was delivered 0 times"},
	{"Done inside a callback", "start-returned op=c\n", "", "G14", "Done came while the media was inside a callback of c"},
	{
		"abandoned long after Close",
		"stop-returned op=f\ndelivering released op=f seq=19 time=30ms reason=abandoned at=30ms\ndelivered\ndelivering closed seq=20 time=30ms",
		"delivering released op=f seq=19 time=30ms reason=abandoned at=100ms\ndelivered\ndelivering closed seq=20 time=100ms", "G14", "inside a callback of f long after Close",
	},
	{
		"started while the queue is paused", "called enqueue #15 at=11ms",
		"called pause #40 at=10ms\nreturned pause #40 at=10ms\ncalled enqueue #15 at=11ms", "pause", "e was started while the queue was paused",
	},
	{"a Resume without a Pause", "stop-entered op=a", "optional-entered resume-operation op=a\noptional-returned op=a\nstop-entered op=a", "pause", "out of turn"},
	{"a Pause inside Start", "start-returned op=d", "optional-entered pause-operation op=d\noptional-returned op=d\nstart-returned op=d", "pause", "before its Start had returned"},
	{"Stop inside a Pause", "stop-entered op=a", "optional-entered pause-operation op=a\nstop-entered op=a", "pause", "inside another call"},
	{"an EndLoop in an open queue", "stop-entered op=a", "optional-entered end-loop op=a\noptional-returned op=a\nstop-entered op=a", "pause", "sealed: false"},
	{"prepared twice", "called cancel-all #5", "prepare-entered op=b\nprepare-returned op=b\nprepare-entered op=b\nprepare-returned op=b\ncalled cancel-all #5", "prepare", "twice"},
	{"two prepared at once", "called cancel-all #5", "prepare-entered op=b\nprepare-entered op=c\nprepare-returned op=b\ncalled cancel-all #5", "prepare", "while b was"},
	{"a Prepare after Done", "called close #19", "prepare-entered op=f\ncalled close #19", "prepare", "Done came while f was prepared"},
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
