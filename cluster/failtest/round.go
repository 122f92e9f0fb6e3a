package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/google/uuid"
)

type test struct {
	config

	dir    string
	nodes  []*process
	bots   *bots
	client *http.Client
	held   *heldUp
	busy   bool // the journal is, with what is no part of a round
}

func newTest(c config) (*test, error) {
	dir, err := os.MkdirTemp("", "failtest-")
	if err != nil {
		return nil, err
	}
	t := &test{config: c, dir: dir, client: &http.Client{
		Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4096}, // of all bots
	}}
	var host string
	if t.nodes, host, err = newProcesses(c, dir); err != nil {
		return nil, err
	}
	if t.bots, err = newBots(host); err != nil {
		return nil, err
	}
	t.held = newHeldUp()
	for _, p := range t.nodes {
		p.args = append(p.args, "-phones", t.bots.phones.LocalAddr().String(),
			"-callback", t.bots.url)
		if c.more != nil {
			p.args = append(p.args, c.more(p.name)...)
		}
	}
	return t, nil
}

func (t *test) close() {
	for _, p := range t.nodes {
		p.kill()
	}
	t.bots.close()
	t.held.stop()
	if t.netns {
		removeNetwork(t.nodes)
	}
	_ = os.RemoveAll(t.dir)
}

func (t *test) start(ctx context.Context) error {
	for _, p := range t.nodes {
		if err := p.start(); err != nil {
			return err
		}
	}
	return t.whole(ctx)
}

// whole waits until all nodes live, and the journal is read and written.
func (t *test) whole(ctx context.Context) error {
	err := t.until(ctx, time.Minute, "the cluster is whole", func() bool {
		leaders := 0
		for _, p := range t.nodes {
			s, err := p.stats()
			if err != nil || !s.Lease || len(s.Live) != len(t.nodes) || !s.Journal.Opened ||
				!t.busy && s.Journal.Waiting > 0 {
				return false
			}
			if s.Leader {
				leaders++
			}
		}
		return leaders == 1 || t.servers != ""
	})
	if err != nil {
		for _, p := range t.nodes {
			s, e := p.stats()
			fmt.Printf("   %s: %+v %v\n", p.name, s, e)
		}
	}
	return err
}

// until waits until something is so.
func (t *test) until(ctx context.Context, most time.Duration, what string, is func() bool) error {
	over := time.NewTimer(most)
	defer over.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-over.C:
			return fmt.Errorf("not so after %v: %s", most, what)
		case <-look.C:
		}
	}
	return nil
}

// result is what came of a round.
type result struct {
	victim    string
	leader    bool
	told      latencies // from the fault until the end of a call was told, for each
	missing   int       // calls of which not everything was told
	repeats   int
	lastFrame time.Duration // of the victim's, after the fault
	late      int           // calls with a frame 40 ms after the heir's first word
	plays     latencies
	cancels   latencies
	refused   time.Duration // until a minority answers 503
	held      time.Duration // by the machine, meanwhile
	wrong     []string
}

func (r *result) String() string {
	s := fmt.Sprintf("victim %s%s: %d calls told after %.2f to %.2f s, %d repeats, "+
		"last frame %+.2f s, %d late; play p99 %.0f ms, cancel p99 %.0f ms", r.victim,
		map[bool]string{true: " (leads the journal)"}[r.leader], len(r.told), r.told.at(0).Seconds(),
		r.told.at(100).Seconds(), r.repeats, r.lastFrame.Seconds(), r.late, ms(r.plays.at(99)),
		ms(r.cancels.at(99)))
	if r.refused > 0 {
		s += fmt.Sprintf("; 503 after %.2f s", r.refused.Seconds())
	}
	if r.held > 0 {
		s += fmt.Sprintf("; held up for %.2f s", r.held.Seconds())
	}
	return s
}

type latencies []time.Duration

// at returns a percentile.
func (l latencies) at(percent int) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[(len(l)-1)*percent/100]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// call is one of the test's, and the operations of it that live.
type call struct {
	id  uuid.UUID
	ops []string
}

// round does one thing to one node, which leads the journal or not, and checks what comes of it.
func (t *test) round(ctx context.Context, fault string, leader bool) (*result, error) {
	if err := t.whole(ctx); err != nil {
		return nil, err
	}
	if err := t.supported(ctx); err != nil { // a node that has just started supports nobody for 3 s
		return nil, err
	}
	victim, others, err := t.choose(ctx, leader)
	if err != nil {
		return nil, err
	}
	t.bots.forget()
	r, err := t.roundWith(ctx, fault, victim, others)
	if r != nil {
		r.leader = leader
	}
	if err == nil && cuts(fault) {
		err = t.renew(ctx, others)
	}
	return r, err
}

// roundWith does one thing to a node.
func (t *test) roundWith(
	ctx context.Context, fault string, victim *process, others []*process,
) (*result, error) {
	r := &result{victim: victim.name}
	calls, err := t.makeCalls(victim, others, t.calls)
	if err != nil {
		return nil, err
	}
	theirs, err := t.makeCalls(others[0], others[1:], 20)
	if err != nil {
		return nil, err
	}
	work, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { t.work(work, others, theirs, r) })

	at, held := time.Now(), t.held.soFar()
	if err := t.strike(fault, victim); err != nil {
		stop()
		return nil, err
	}
	if cuts(fault) {
		working.Go(func() { r.refused = t.untilRefused(work, victim, calls[0], at) })
	}
	all := func() bool { return t.missing(calls) == 0 }
	const more = 30 * time.Second
	_ = t.until(ctx, t.within+more, "all ends are delivered", all) // judge says what is missing
	r.held = t.held.soFar() - held
	pause(ctx, 2*time.Second) // for what must not come, and for the stall of the journal
	stop()
	working.Wait()
	if err := t.heal(fault, victim); err != nil {
		return nil, err
	}
	if fault != "kill" {
		pause(ctx, 3*time.Second) // for what the old owner must not say
	}
	t.judge(r, calls, at)
	t.endCalls(others[0], theirs)
	return r, nil
}

// cuts reports whether a fault is one of the network.
func cuts(fault string) bool { return fault == "partition" || fault == "mute" || fault == "deaf" }

// renew restarts nodes, one after the other. The node that was cut off has withdrawn its support
// from their epochs, for good, so the next failure would be one too many for them.
func (t *test) renew(ctx context.Context, ps []*process) error {
	for _, p := range ps {
		leased := func() bool {
			for _, p := range t.nodes {
				if s, err := p.stats(); err != nil || !s.Lease || !s.Journal.Opened {
					return false
				}
			}
			return true
		}
		if err := t.until(ctx, time.Minute, "all have a lease", leased); err != nil {
			return err
		}
		p.signal(syscall.SIGTERM)
		<-p.exited
		if err := p.start(); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// choose returns a node that leads the journal, or does not.
func (t *test) choose(
	ctx context.Context, leader bool,
) (victim *process, others []*process, err error) {
	err = t.until(ctx, time.Minute, "one node leads the journal, and others do not", func() bool {
		victim, others = nil, nil
		for _, p := range t.nodes {
			s, err := p.stats()
			if err != nil {
				return false
			}
			if s.Leader == leader && victim == nil {
				victim = p
			} else {
				others = append(others, p)
			}
		}
		return victim != nil
	})
	return victim, others, err
}

func (t *test) strike(fault string, victim *process) error {
	switch fault {
	case "kill":
		victim.kill()
		return nil
	case "stop":
		victim.signal(syscall.SIGSTOP)
		return nil
	default:
		return cut(victim, t.nodes, fault, true)
	}
}

func (t *test) heal(fault string, victim *process) error {
	switch fault {
	case "kill":
		return victim.start()
	case "stop":
		victim.signal(syscall.SIGCONT)
		return nil
	default:
		return cut(victim, t.nodes, fault, false)
	}
}

// makeCalls makes calls on a node, and has one operation of each asked for there, one elsewhere.
func (t *test) makeCalls(on *process, others []*process, n int) ([]*call, error) {
	calls := make([]*call, n)
	errs := make([]error, n)
	places := make(chan struct{}, 32)
	var all sync.WaitGroup
	for i := range calls {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			calls[i], errs[i] = t.makeCall(on, others[i%len(others)], i < t.talking)
		})
	}
	all.Wait()
	failed := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(failed) > 0 {
		return nil, fmt.Errorf("%d of %d calls can't be made on node %s: %w", len(failed), n, on.name,
			failed[0])
	}
	return calls, nil
}

func (t *test) makeCall(on, other *process, talks bool) (*call, error) {
	made, err := t.post(on, "", fmt.Sprintf(`{"callbackUri":%q}`, t.bots.url), http.StatusCreated)
	if err != nil {
		return nil, err
	}
	c := &call{}
	if c.id, err = uuid.Parse(made); err != nil {
		return nil, err
	}
	for i, p := range []*process{on, other} {
		uri := "https://cdn.example/a.wav"
		if i == 0 && talks {
			uri = "talk:"
		}
		op, err := t.post(p, "/"+c.id.String()+"/playPrompt", playBody(uri), http.StatusOK)
		if err != nil {
			return nil, err
		}
		c.ops = append(c.ops, op)
	}
	return c, nil
}

func playBody(uri string) string {
	return fmt.Sprintf(`{"clientContext":"x","prompts":[{"mediaInfo":{"uri":%q}}]}`, uri)
}

// post sends a request, and returns the id in its answer.
func (t *test) post(to *process, path, body string, want int) (id string, err error) {
	r, err := http.NewRequest(http.MethodPost, //nolint:noctx // the client has a timeout
		"http://"+to.api+"/communications/calls"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := t.client.Do(r)
	if err != nil {
		return "", err
	}
	defer drainBody(a)
	if a.StatusCode != want {
		text, _ := io.ReadAll(io.LimitReader(a.Body, 512))
		return "", fmt.Errorf("%s at %s: status %d: %s", path, to.name, a.StatusCode, text)
	}
	var v struct{ ID string }
	return v.ID, json.NewDecoder(a.Body).Decode(&v)
}

// work plays and cancels on the calls of the others meanwhile, through both of them.
func (t *test) work(ctx context.Context, others []*process, calls []*call, r *result) {
	for i := 0; ctx.Err() == nil; i++ {
		c, p := calls[i%len(calls)], others[i%len(others)]
		start := time.Now()
		path := "/" + c.id.String()
		if _, err := t.post(p, path+"/playPrompt", playBody("https://x.example/a"), 200); err != nil {
			r.wrong = append(r.wrong, "a call of another node: "+err.Error())
			return
		}
		r.plays = append(r.plays, time.Since(start))
		start = time.Now()
		if _, err := t.post(p, path+"/cancelMediaProcessing", "{}", 200); err != nil {
			r.wrong = append(r.wrong, "a call of another node: "+err.Error())
			return
		}
		r.cancels = append(r.cancels, time.Since(start))
		pause(ctx, 20*time.Millisecond)
	}
}

// untilRefused asks a node that is cut off, until it answers 503.
func (t *test) untilRefused(ctx context.Context, p *process, c *call, at time.Time) time.Duration {
	for ctx.Err() == nil {
		_, err := t.post(p, "/"+c.id.String()+"/cancelMediaProcessing", "{}", 503)
		if err == nil || err.Error() == "EOF" { // no id, but the status that was wanted
			return time.Since(at)
		}
		pause(ctx, 20*time.Millisecond)
	}
	return 0
}

func (t *test) endCalls(p *process, calls []*call) {
	for _, c := range calls {
		r, err := http.NewRequest(http.MethodDelete, //nolint:noctx // the client has a timeout
			"http://"+p.api+"/communications/calls/"+c.id.String(), nil)
		if err != nil {
			continue
		}
		if a, err := t.client.Do(r); err == nil {
			drainBody(a)
		}
	}
}

// missing counts the calls of which something has not been told.
func (t *test) missing(calls []*call) (n int) {
	t.bots.mu.Lock()
	defer t.bots.mu.Unlock()
	for _, c := range calls {
		told := t.bots.calls[c.id]
		complete := told != nil && !told.ended.IsZero()
		for _, op := range c.ops {
			complete = complete && told.ends[op] != ""
		}
		if !complete {
			n++
		}
	}
	return n
}

// judge says what was not as promised.
func (t *test) judge(r *result, calls []*call, at time.Time) {
	wrong := func(format string, args ...any) {
		r.wrong = append(r.wrong, fmt.Sprintf(format, args...))
	}
	if r.missing = t.missing(calls); r.missing > 0 {
		wrong("of %d calls not everything was told", r.missing)
	}
	t.bots.mu.Lock()
	defer t.bots.mu.Unlock()
	for i, c := range calls {
		told := t.bots.calls[c.id]
		if told == nil || told.ended.IsZero() {
			continue
		}
		r.told = append(r.told, told.ended.Sub(at))
		r.repeats += told.repeats
		if i < t.talking {
			r.lastFrame = max(r.lastFrame, told.last.Sub(at))
			if told.last.After(told.byHeir.Add(40 * time.Millisecond)) {
				r.late++
			}
		}
	}
	if last := r.told.at(100); last > t.within+r.held {
		wrong("the last end was told after %v, promised %v", last, t.within)
	}
	if r.late > 0 {
		wrong("%d calls have a frame later than 40 ms after the heir's first word", r.late)
	}
	for i, s := range t.bots.strange {
		if i == 3 {
			wrong("and %d more", len(t.bots.strange)-3)
			break
		}
		wrong("%s", s)
	}
	t.bots.strange = nil
	if p := ms(r.plays.at(99)); t.latencies && p > 300 {
		wrong("playPrompt p99 on the others: %.0f ms, promised 300", p)
	}
	if p := ms(r.cancels.at(99)); t.latencies && p > 20 {
		wrong("cancel p99 on the others: %.0f ms, promised 20", p)
	}
	if r.refused > 2500*time.Millisecond+r.held {
		wrong("a minority answered 503 after %v, promised 2.5 s", r.refused)
	}
}
