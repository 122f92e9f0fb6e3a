package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// load is bots that have calls, through whatever node a load balancer gives them: it asks for the
// health of each, and takes those that say 200. A node that answers 503 sends a bot to the next.
type load struct {
	*test

	// cut says why a call may not end so, with the lock held; empty: it may.
	cut func(c *loadCall, ended time.Time, subcode int) string

	stop, over context.CancelFunc // of new calls; of the load balancer
	working    sync.WaitGroup
	balancer   sync.WaitGroup

	mu       sync.Mutex // guards everything below
	rotation []*process
	sick     map[string]int // answers of a node about its health that were not 200
	answers  map[string]int
	turned   int // away with 503, to another node
	calls    []*loadCall
	ops      int
	plays    timed
	cancels  timed
	told     timed // from the answer to a cancel until its end was told
	wrong    []string
}

// loadCall is a call of a bot of the load.
type loadCall struct {
	id    uuid.UUID
	ops   []string
	stays bool // until somebody ends it
	ended bool // by the bot
}

// timed are latencies, and when they began.
type timed []struct {
	at   time.Time
	took time.Duration
}

func (l *load) note(to *timed, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*to = append(*to, struct {
		at   time.Time
		took time.Duration
	}{at, time.Since(at)})
}

func (t timed) all() latencies { return t.between(time.Time{}, time.Now()) }

// between returns the latencies of what began between two times.
func (t timed) between(from, to time.Time) (some latencies) {
	for _, one := range t {
		if !one.at.Before(from) && one.at.Before(to) {
			some = append(some, one.took)
		}
	}
	return some
}

// startLoad starts bots: some with one call after the other, some with calls that stay.
func (t *test) startLoad(ctx context.Context, many, stay int) *load {
	l := &load{
		test: t, sick: make(map[string]int), answers: make(map[string]int),
		cut: func(_ *loadCall, _ time.Time, subcode int) string {
			return fmt.Sprintf("it ended with %d", subcode)
		},
	}
	live, over := context.WithCancel(ctx)
	l.over = over
	for _, p := range t.nodes {
		l.balancer.Go(func() { l.watch(live, p) })
	}
	_ = t.until(ctx, 10*time.Second, "all are healthy", func() bool { // finish says who was not
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.rotation) == len(t.nodes)
	})
	live, l.stop = context.WithCancel(live)
	for range many {
		l.working.Go(func() {
			for live.Err() == nil {
				l.life(live)
			}
		})
	}
	for range stay {
		l.working.Go(func() {
			for live.Err() == nil {
				l.stay(live)
			}
		})
	}
	return l
}

// finish has all bots end their calls, and returns what was wrong.
func (l *load) finish() []string {
	l.stop()
	l.working.Wait()
	l.over()
	l.balancer.Wait()
	l.bots.mu.Lock()
	defer l.bots.mu.Unlock()
	missing, cut := 0, 0
	for _, c := range l.calls {
		told := l.bots.calls[c.id]
		if told == nil {
			missing += 1 + len(c.ops)
			continue
		}
		for _, key := range append([]string{c.id.String()}, c.ops...) {
			if told.ends[key] == "" {
				missing++
			}
		}
		if subcode := subcodeOf(told.ends[c.id.String()]); !c.ended && subcode != 0 {
			cut++
			if why := l.cut(c, told.ended, subcode); why != "" {
				l.wrong = append(l.wrong, "a call was cut: "+why)
			}
		}
	}
	if missing > 0 {
		l.wrong = append(l.wrong, fmt.Sprintf("%d ends were not told", missing))
	}
	l.wrong = append(l.wrong, l.bots.strange...)
	return l.wrong
}

func subcodeOf(text string) int {
	var n struct {
		ResourceData struct{ ResultInfo struct{ Subcode int } }
	}
	_ = json.Unmarshal([]byte(text), &n) // text is empty, or was read before
	return n.ResourceData.ResultInfo.Subcode
}

// String says what was asked and answered.
func (l *load) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var answers []string
	for what, n := range l.answers {
		answers = append(answers, fmt.Sprintf("%s %d", what, n))
	}
	slices.Sort(answers)
	return fmt.Sprintf("%d calls, %d operations; answers: %s; %d times sent to another node",
		len(l.calls), l.ops, strings.Join(answers, ", "), l.turned)
}

func (l *load) fail(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
}

// watch keeps a node in rotation while it is healthy.
func (l *load) watch(ctx context.Context, p *process) {
	in := false
	for ctx.Err() == nil {
		status := p.health(ctx)
		if ctx.Err() != nil {
			return
		}
		l.mu.Lock()
		if status != http.StatusOK {
			l.sick[p.name]++
		}
		if healthy := status == http.StatusOK; healthy != in {
			in = healthy
			l.rotation = slices.DeleteFunc(slices.Clone(l.rotation), func(q *process) bool { return q == p })
			if in {
				l.rotation = append(l.rotation, p)
			}
		}
		l.mu.Unlock()
		pause(ctx, 50*time.Millisecond)
	}
}

// send sends a request to the nodes in rotation, until one takes it.
func (l *load) send(method, path, body string) (id string, status int) {
	l.mu.Lock()
	nodes := slices.Clone(l.rotation)
	l.mu.Unlock()
	rand.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	for i, p := range nodes {
		id, code, answered := l.try(p, method, path, body)
		l.mu.Lock()
		l.answers[answered]++
		if code == http.StatusServiceUnavailable && i < len(nodes)-1 {
			l.turned++
		}
		l.mu.Unlock()
		if code != http.StatusServiceUnavailable {
			return id, code
		}
	}
	return "", http.StatusServiceUnavailable
}

// try sends a request to one node. An answer that no node should give is wrong.
func (l *load) try(p *process, method, path, body string) (id string, code int, what string) {
	r, err := http.NewRequest(method, //nolint:noctx // the client has a timeout
		"http://"+p.api+"/communications/calls"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		l.fail("%v", err)
		return "", 0, "none"
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := l.client.Do(r)
	if err != nil {
		l.fail("node %s has not answered: %v", p.name, err)
		return "", 0, "none"
	}
	defer drainBody(a)
	var v struct {
		ID    string
		Error struct{ Code string }
	}
	if a.ContentLength != 0 {
		if err := json.NewDecoder(a.Body).Decode(&v); err != nil {
			l.fail("node %s has answered what is no JSON: %v", p.name, err)
		}
	}
	what = strconv.Itoa(a.StatusCode)
	if v.Error.Code != "" {
		what += "/" + v.Error.Code
	}
	switch {
	case a.StatusCode == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
	case a.StatusCode >= 500:
		l.fail("node %s has answered %s", p.name, what)
	}
	return v.ID, a.StatusCode, what
}

// create makes a call.
func (l *load) create(stays bool) *loadCall {
	id, status := l.send(http.MethodPost, "", fmt.Sprintf(`{"callbackUri":%q}`, l.bots.url))
	if status != http.StatusCreated {
		l.fail("no node has made a call: %d", status)
		return nil
	}
	c := &loadCall{stays: stays}
	var err error
	if c.id, err = uuid.Parse(id); err != nil {
		l.fail("the id of a call: %v", err)
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
	return c
}

// ask asks for something in a call. It is false if the call is gone, which it may be if that is
// told.
func (l *load) ask(c *loadCall, action, body string, in *timed) (id string, ok bool) {
	at := time.Now()
	id, status := l.send(http.MethodPost, "/"+c.id.String()+"/"+action, body)
	switch {
	case status == http.StatusOK:
		l.note(in, at)
		return id, true
	case !l.isTold(c.id, c.id.String(), 5*time.Second):
		l.fail("%s in a call that lives: %d", action, status)
	}
	return "", false
}

func (l *load) play(c *loadCall, uri string) (op string, ok bool) {
	op, ok = l.ask(c, "playPrompt", playBody(uri), &l.plays)
	if ok {
		l.mu.Lock()
		c.ops = append(c.ops, op)
		l.ops++
		l.mu.Unlock()
	}
	return op, ok
}

// life is a call's: it plays, and cancels every other time, and hangs up.
func (l *load) life(ctx context.Context) {
	c := l.create(false)
	if c == nil {
		pause(ctx, 100*time.Millisecond)
		return
	}
	for i := range 4 {
		op, ok := l.play(c, "for:400ms")
		if !ok {
			return
		}
		if i%2 == 0 {
			pause(context.Background(), 100*time.Millisecond)
			if _, ok := l.ask(c, "cancelMediaProcessing", "{}", &l.cancels); !ok {
				return
			}
		}
		at := time.Now()
		if !l.isTold(c.id, op, 5*time.Second) {
			l.fail("the end of an operation was not told within 5 s")
			return
		}
		if i%2 == 0 {
			l.note(&l.told, at)
		}
	}
	l.hangUp(c)
}

// stay has a call until somebody ends it.
func (l *load) stay(ctx context.Context) {
	c := l.create(true)
	if c == nil {
		pause(ctx, 100*time.Millisecond)
		return
	}
	if _, ok := l.play(c, "https://cdn.example/a.wav"); !ok {
		return
	}
	for ctx.Err() == nil {
		if l.isTold(c.id, c.id.String(), 0) {
			return
		}
		pause(ctx, 50*time.Millisecond)
	}
	l.hangUp(c)
}

func (l *load) hangUp(c *loadCall) {
	l.mu.Lock()
	c.ended = !l.isTold(c.id, c.id.String(), 0)
	l.mu.Unlock()
	_, status := l.send(http.MethodDelete, "/"+c.id.String(), "")
	if !l.isTold(c.id, c.id.String(), 5*time.Second) {
		l.fail("a call that was hung up, with %d: its end was not told within 5 s", status)
	}
}

// isTold waits until the end of something was told.
func (l *load) isTold(call uuid.UUID, key string, most time.Duration) bool {
	over := time.Now().Add(most)
	for {
		l.bots.mu.Lock()
		told := l.bots.calls[call]
		is := told != nil && told.ends[key] != ""
		l.bots.mu.Unlock()
		if is || time.Now().After(over) {
			return is
		}
		pause(context.Background(), 10*time.Millisecond)
	}
}

// fenced says which nodes were fenced: they had no processor for 2 s, and have ended their calls.
func (t *test) fenced() (who []string) {
	for _, p := range t.nodes {
		if s, err := p.stats(); err == nil && s.Fenced > 0 {
			who = append(who, fmt.Sprintf("node %s was fenced %d times", p.name, s.Fenced))
		}
	}
	return who
}
