//go:build phones

package phonetest_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"ivrqueue/media"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/sip"
)

var (
	loopback = netip.MustParseAddr("127.0.0.1")
	lastPort atomic.Int32
	// TCP ports rest for a minute, so each run begins with others.
	firstPort = 2 * rand.Int32N(manyPorts/2)
)

// All other ports are below those that the machine gives to whoever asks for any, and no other package's
// tests have them.
const lowestPort, manyPorts = 32000, 760

// Ports of RTP: the agents', and each baresip's.
var agentPorts = sip.Ports{First: 26000, Last: 28998}

const (
	phonePorts   = 29000 // and on
	portsOfPhone = 20
)

// port returns an even port that no other test uses; that above it is free too.
func port() uint16 { return uint16(lowestPort + (firstPort+2*lastPort.Add(1))%manyPorts) }

// patience is how long anything may take: the machine may be held up.
const patience = 2 * time.Minute

// What the IVR can say. A telephone holds back what it has heard last, and plays it no more when the
// call ends: so silence follows.
var prompts = fstest.MapFS{
	"short.wav": {Data: wav(append(speech(1, 2), make([]int16, rate/2)...))},
	"long.wav":  {Data: wav(speech(2, 20))},
}

// ivr answers calls, as a platform would.
type ivr struct {
	t      *testing.T
	agent  *sip.Agent
	engine *media.Engine
	folder string
	calls  chan *call

	machine *machine
}

// call is one that the IVR has answered, or made.
type call struct {
	*sip.Call

	queue   *queue.Queue
	keys    chan byte
	machine *machine
}

// newIVR returns an IVR that decides on calls by incoming; nil answers.
func newIVR(t *testing.T, incoming func(*sip.Call)) *ivr {
	t.Helper()
	i := &ivr{
		t: t, engine: media.NewEngine(), folder: t.TempDir(), calls: make(chan *call, 100),
		machine: &machine{since: time.Now()},
	}
	o := sip.Options{
		Listen: netip.AddrPortFrom(loopback, port()), Ports: agentPorts,
		Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}
	o.Incoming = func(c *sip.Call) {
		if incoming != nil {
			incoming(c)
			return
		}
		ours := i.take(c)
		if err := c.Answer(); err != nil {
			t.Logf("answer: %v", err)
		}
		i.calls <- ours
	}
	var err error
	if i.agent, err = sip.Listen(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := i.agent.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		i.engine.Close()
	})
	return i
}

// take makes a call's queue.
func (i *ivr) take(c *sip.Call) *call {
	m, err := i.engine.Media(media.Call{
		Codec: sip.Codec, Sink: c.Line(), Source: c.Line(), Tones: c.Tones(),
		Prompts: media.Files{FS: prompts}, Folder: i.folder,
	})
	if err != nil {
		i.t.Error(err)
	}
	q, err := queue.New(c.ID(), m)
	if err != nil {
		i.t.Error(err)
	}
	ours := &call{Call: c, queue: q, keys: make(chan byte, 100), machine: i.machine}
	stream := c.Tones().Subscribe()
	go func() {
		defer close(ours.keys)
		for {
			e, err := stream.Next(context.Background())
			if err != nil {
				return
			}
			ours.keys <- e.Tone.Char()
		}
	}()
	go func() {
		<-c.Done()
		q.Close(nil)
	}()
	return ours
}

// next returns the next call, established.
func (i *ivr) next() *call {
	i.t.Helper()
	select {
	case c := <-i.calls:
		wait(i.t, "the ACK", c.Established())
		return c
	case <-time.After(patience):
		i.t.Fatalf("no call in %v", patience)
		return nil
	}
}

func (i *ivr) uri() string { return fmt.Sprintf("sip:ivr@%v", i.agent.Addr()) }

// play has a prompt played, and returns without waiting.
func (c *call) play(t *testing.T, name string) {
	t.Helper()
	c.enqueue(t, &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: name}}})
}

// listen takes what the peer sends until the function that it returns is called, which returns it.
func (c *call) listen() (stop func() []int16) {
	over, heard := make(chan struct{}), make(chan []int16, 1)
	go func() {
		var all []int16
		frame := make([]int16, sip.Codec.FrameSamples())
		tick := time.NewTicker(media.FrameTime)
		defer tick.Stop()
		for at := time.Now(); ; {
			select {
			case now := <-tick.C:
				for ; at.Before(now); at = at.Add(media.FrameTime) { // also what it came too late for
					_ = c.Line().ReadFrame(at, frame)
					all = append(all, frame...)
				}
			case <-over:
				heard <- all
				return
			}
		}
	}()
	return func() []int16 {
		close(over)
		return <-heard
	}
}

func (c *call) enqueue(t *testing.T, r operation.Request) *operation.Operation {
	t.Helper()
	op, err := c.queue.Enqueue(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// pressed returns the next so many keys.
func (c *call) pressed(t *testing.T, n int) string {
	t.Helper()
	var keys []byte
	deadline := time.After(patience)
	for len(keys) < n {
		select {
		case k, ok := <-c.keys:
			if !ok {
				t.Fatalf("the call ended after the keys %q", keys)
			}
			keys = append(keys, k)
		case <-deadline:
			t.Fatalf("got the keys %q, want %d", keys, n)
		}
	}
	return string(keys)
}

// result waits for the end of an operation.
func result(t *testing.T, op *operation.Operation) operation.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := op.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wait[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatalf("waited %v for %s", patience, what)
	}
}

// testWriter is the test's log, until it has ended.
type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Logf("%s", p)
	} else {
		os.Stderr.Write(p)
	}
	return len(p), nil
}

func itoa(port uint16) string { return strconv.Itoa(int(port)) }
