package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"ivrqueue/cluster/journal"
	"ivrqueue/graph"
)

// record is what a call owes at a revision, as a record has it.
func record(tb testing.TB, revision uint64) []byte {
	tb.Helper()
	return written(tb, &graph.Owed{Application: fmt.Sprint("of revision ", revision)}, journal.OwnKey)
}

// written is the record of what a call owes, with bodies of so many bytes at most.
func written(tb testing.TB, o *graph.Owed, most int) []byte {
	tb.Helper()
	text, err := journal.WriteRecord(o, most)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// agree has a node ask the others, and wait for all their answers.
func (o *owner) agree(e journal.Epoch) (asked []uuid.UUID) {
	o.tb.Helper()
	ctx, cancel := context.WithTimeout(o.tb.Context(), soon)
	defer cancel()
	if asked = o.journal.Agree(ctx, e); ctx.Err() != nil {
		o.tb.Error("it waits, and all have answered")
	}
	return asked
}

// newHeirs makes two nodes that ask each other.
func newHeirs(tb testing.TB) (b, c *owner) {
	tb.Helper()
	s := startServer(tb, tb.TempDir(), 1<<30)
	b = newOwner(tb, connect(tb, s), "b", othersOf("c").with(1), patient)
	opened(tb, b.journal)
	c = newOwner(tb, connect(tb, s), "c", othersOf("b").with(1), patient)
	opened(tb, c.journal)
	return b, c
}

// Nodes that have missed something of a dead life know the same when they have asked each other.
func TestHeirsAgree(t *testing.T) {
	t.Parallel()
	b, c := newHeirs(t)
	dead := journal.Epoch{Node: "a", Epoch: 7}
	over := func() []byte { return nil }
	at := func(revision uint64) func() []byte {
		return func() []byte { return record(t, revision) }
	}
	const ended = 1<<64 - 1
	for name, test := range map[string]struct {
		b, c   uint64 // the revisions that they have; 0: none
		agreed string // what both have afterwards; empty: nothing
	}{
		"the same":                          {3, 3, "of revision 3"},
		"it has an older one":               {4, 3, "of revision 4"},
		"it has a newer one":                {3, 4, "of revision 4"},
		"it has none":                       {3, 0, "of revision 3"},
		"it has the only one":               {0, 3, "of revision 3"},
		"it has missed the end":             {ended, 3, ""},
		"it has the end":                    {3, ended, ""},
		"it has the end, and only it":       {0, ended, ""},
		"the other has seen it come and go": {ended, 0, ""},
	} {
		call := uuid.New()
		for o, revision := range map[*owner]uint64{b: test.b, c: test.c} {
			text := at(revision)
			if revision == ended {
				text = over
			}
			if revision > 0 {
				o.journal.Put(dead, call, revision, text())
			}
		}
		b.agree(dead)
		asked := c.agree(dead)
		for _, o := range []*owner{b, c} {
			owed, err := o.journal.Owed(dead, call)
			if owed.Application != test.agreed || (err == nil) != (test.agreed != "") {
				t.Errorf("%s: %s has %q, %v; want %q", name, o.name, owed.Application, err, test.agreed)
			}
		}
		if test.agreed != "" && !slices.Contains(asked, call) {
			t.Errorf("%s: it does not know that it has asked about it", name)
		}
	}
}

// A node that is asked about a life of which it has missed everything knows of it from then on: it
// may be the only heir.
func TestWhoIsAskedKnowsOfTheLife(t *testing.T) {
	t.Parallel()
	b, c := newHeirs(t)
	dead, unknown := journal.Epoch{Node: "a", Epoch: 7}, journal.Epoch{Node: "a", Epoch: 8}
	b.journal.Put(dead, uuid.New(), 1, record(t, 1))
	b.agree(dead)
	b.agree(unknown) // of which it knows nothing, and nothing is noted
	if got := c.journal.Epochs(); !slices.Equal(got, []journal.Epoch{dead}) {
		t.Errorf("it knows of %v, want %v", got, dead)
	}
}

// An answer may have more than a message holds, and so may a question.
func TestHeirsAgreeAboutManyCalls(t *testing.T) {
	t.Parallel()
	const calls = 40_000
	b, c := newHeirs(t)
	dead := journal.Epoch{Node: "a", Epoch: 7}
	text := record(t, 1)
	for i := range calls {
		o := b
		if i%2 == 0 {
			o = c
		}
		o.journal.Put(dead, uuid.New(), 1, text)
	}
	b.agree(dead)
	c.agree(dead)
	if n, m := len(b.journal.Calls(dead)), len(c.journal.Calls(dead)); n != calls || m != calls {
		t.Errorf("they know %d and %d calls, want %d", n, m, calls)
	}
}

// A body that lies in the bucket by itself comes with what is newer: who has missed the record may
// have missed it, too.
func TestHeirsAgreeAboutLargeBodies(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	b := newOwner(t, connect(t, s), "b", othersOf("c").with(1), patient)
	opened(t, b.journal)
	dead, call, post := journal.Epoch{Node: "a", Epoch: 7}, uuid.New(), uuid.New()
	body := bytes.Repeat([]byte("x"), journal.OwnKey+1)
	posts := []graph.OwedPost{{ID: post, Notifications: 1, Body: body}}
	b.journal.Put(dead, call, 3, written(t, &graph.Owed{Posts: posts}, journal.OwnKey))
	b.journal.PutBody(dead, call, post, body)
	c := newOwner(t, connect(t, s), "c", othersOf("b").with(1), patient)
	opened(t, c.journal)
	c.agree(dead)
	o, err := c.journal.Owed(dead, call)
	if err != nil || len(o.Posts) != 1 || !bytes.Equal(o.Posts[0].Body, body) {
		t.Errorf("%d posts, %v", len(o.Posts), err)
	}
}

// A node that does not answer, or not with what can be read, is not waited for long; and who asks
// something that is no question gets no answer.
func TestHeirsDoNotWaitForTheSilent(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	conn := connect(t, s)
	b := newOwner(t, connect(t, s), "b", othersOf("c", "silent").with(1))
	opened(t, b.journal)
	c := newOwner(t, connect(t, s), "c")
	opened(t, c.journal)
	dead, call := journal.Epoch{Node: "a", Epoch: 7}, uuid.New()
	c.journal.Put(dead, call, 3, record(t, 3))
	const long = 10 * time.Second
	eventually(t, "the other's call is known, after half a second", func() bool { // the machine may be held up
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		began := time.Now()
		asked := b.journal.Agree(ctx, dead)
		took := time.Since(began)
		if took < 500*time.Millisecond {
			t.Errorf("asked for %v", took)
		}
		return took < long && slices.Contains(asked, call)
	})
	question := journal.AppendRecord(nil, call, 1, nil)
	for _, subject := range []string{
		"x.a.7.0", "x.a.7.1.1", "x.a.7.-1.1", "x.a.7.0.0", "x.a.y.0.1", "x.a.7.0.1.more", "c.a.7.0.1",
		"x.a.4294967296.0.1",
	} {
		if m, err := conn.Request("test.known."+subject, question, 100*time.Millisecond); err == nil && m.Header.Get("By") == "c" {
			t.Errorf("%s: answered %q", subject, m.Data)
		}
	}
	if m, err := conn.Request("test.known.x.a.7.0.1", question[:9], 100*time.Millisecond); err == nil {
		t.Errorf("a question that is cut short: answered %q", m.Data)
	}
	if m, err := conn.Request("test.known.x.a.7.0.1", question, time.Minute); err != nil || !strings.Contains(string(m.Data), "of revision 3") {
		t.Errorf("a good one: %v", err)
	}
}

// One that lives may not be connected with this node's server yet: what it shows may come.
func TestHeirsWaitForWhoIsNotThereYet(t *testing.T) {
	t.Parallel()
	b := newOwner(t, connect(t, startServer(t, t.TempDir(), 1<<30)), "b", othersOf("c").with(1))
	opened(t, b.journal)
	began := time.Now()
	b.journal.Agree(t.Context(), journal.Epoch{Node: "a", Epoch: 7})
	if took := time.Since(began); took < journal.AgreeTime {
		t.Errorf("it waited for %v, want %v", took, journal.AgreeTime)
	}
}

// Nobody else lives: there is nobody to be asked.
func TestALastNodeAgreesWithItself(t *testing.T) {
	t.Parallel()
	b := newOwner(t, connect(t, startServer(t, t.TempDir(), 1<<30)), "b")
	opened(t, b.journal)
	dead, call := journal.Epoch{Node: "a", Epoch: 7}, uuid.New()
	b.journal.Put(dead, call, 3, record(t, 3))
	if asked := b.journal.Agree(t.Context(), dead); !slices.Equal(asked, []uuid.UUID{call}) {
		t.Errorf("asked about %v", asked)
	}
}

// Who is not waited for may answer, too, and that is not waited for then.
func TestHeirsWaitForNobodyElse(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), 1<<30)
	b := newOwner(t, connect(t, s), "b", othersOf("c").with(1), patient)
	opened(t, b.journal)
	opened(t, newOwner(t, connect(t, s), "a-stranger").journal)
	conn := connect(t, s)
	_, err := conn.Subscribe("test.known.>", func(m *nats.Msg) {
		reply := nats.NewMsg(m.Reply)
		reply.Header.Set("By", "c")
		time.AfterFunc(50*time.Millisecond, func() { _ = m.RespondMsg(reply) }) // after the stranger
	})
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	b.agree(journal.Epoch{Node: "a", Epoch: 7})
}
