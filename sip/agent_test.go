package sip_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/sip"
)

var (
	hostA = netip.MustParseAddr("192.0.2.1")
	hostB = netip.MustParseAddr("192.0.2.2")
)

// agents returns two agents on a network of their own, that of the called one being made with o.
func agents(t *testing.T, o sip.Options) (caller, called *sip.Agent) {
	t.Helper()
	n := newWire()
	o.Listen = netip.AddrPortFrom(hostB, 5060)
	o.Logger = quiet
	called = listen(t, o.WithNetwork(n))
	caller = listen(t, sip.Options{
		Listen: netip.AddrPortFrom(hostA, 5060), Logger: quiet,
	}.WithNetwork(n))
	return caller, called
}

func listen(t *testing.T, o sip.Options) *sip.Agent {
	t.Helper()
	a, err := sip.Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := a.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return a
}

func newCall(t *testing.T, a *sip.Agent, target sip.Target) *sip.Call {
	t.Helper()
	if target.To == "" {
		target.To = "sip:ivr@192.0.2.2"
	}
	c, err := a.NewCall(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestACallIsAnsweredAndHungUp(t *testing.T) {
	for _, calledHangsUp := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			calls := make(chan *sip.Call, 1)
			caller, _ := agents(t, sip.Options{Incoming: func(c *sip.Call) {
				err := c.Ring()
				time.Sleep(time.Second)
				if err := errors.Join(err, c.Answer()); err != nil {
					t.Error(err)
				}
				calls <- c
			}})
			var states []sip.State
			ours := newCall(t, caller, sip.Target{
				From: "alice", Watch: func(s sip.State) { states = append(states, s) },
			})
			if err := ours.Dial(t.Context()); err != nil {
				t.Fatal(err)
			}
			theirs := <-calls
			<-theirs.Established()
			if theirs.From().User != "alice" || theirs.ID() != ours.ID() {
				t.Errorf("got a call of %+v, want one of alice", theirs.From())
			}
			if len(states) == 0 || states[len(states)-1] != sip.Ringing {
				t.Errorf("got the states %v, want ringing", states)
			}
			from, to, why := ours, theirs, sip.PeerHungUp
			if calledHangsUp {
				from, to = theirs, ours
			}
			if err := from.HangUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-to.Done()
			if from.End() != sip.HungUp || to.End() != why {
				t.Errorf("got %v and %v, want %v and %v", from.End(), to.End(), sip.HungUp, why)
			}
		})
	}
}

func TestACallIsNotAnswered(t *testing.T) {
	tests := []struct {
		name     string
		incoming func(*sip.Call)
		want     error
	}{
		{"busy", func(c *sip.Call) { _ = c.Reject(486) }, sip.ErrBusy},
		{"declined", func(c *sip.Call) { _ = c.Reject(603) }, sip.ErrDeclined},
		{"hung up", func(c *sip.Call) { _ = c.HangUp(context.Background()) }, sip.ErrDeclined},
		{"nobody is there", nil, sip.ErrNoAnswer},
		{"nobody decides", func(c *sip.Call) { _ = c.Ring() }, sip.ErrNoAnswer},
		{"the caller gives up", nil, sip.ErrNoAnswer},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, called := agents(t, sip.Options{Incoming: tt.incoming})
				err := newCall(t, caller, sip.Target{}).Dial(t.Context())
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				synctest.Wait()
				if n := caller.Calls() + called.Calls(); n != 0 {
					t.Errorf("got %d calls left, want none", n)
				}
			})
		})
	}
}

// What is given to package fmt is not read without its lock, and is for people.
func TestCallsArePrinted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, _ := agents(t, sip.Options{Incoming: func(c *sip.Call) {
			if err := c.Answer(); err != nil {
				t.Error(err)
			}
		}})
		c := newCall(t, caller, sip.Target{})
		if got := fmt.Sprint(c.Line()); got != "line to nowhere" {
			t.Error(got)
		}
		var all sync.WaitGroup
		all.Go(func() {
			for range 20 {
				_ = fmt.Sprintf("%v %+v %s", caller, c, c.Line())
				time.Sleep(time.Millisecond)
			}
		})
		if err := c.Dial(t.Context()); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		got := fmt.Sprintf("%v, %+v, %v", caller, c, c.Line())
		if want := "SIP agent at 192.0.2.1:5060, SIP call " + c.ID() + ", line to 192.0.2.2:"; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if err := c.HangUp(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
