package sip_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	message "github.com/emiago/sipgo/sip"

	"ivrqueue/sip"
)

// dialing has a call of ours ring at a peer by hand, and returns the INVITE.
func dialing(ctx context.Context, t *testing.T) (
	c *sip.Call, p *peer, invite *message.Request, dialed chan error,
) {
	t.Helper()
	return watching(ctx, t, nil)
}

// watching is dialing with a Watch.
func watching(ctx context.Context, t *testing.T, watch func(sip.State)) (
	c *sip.Call, p *peer, invite *message.Request, dialed chan error,
) {
	t.Helper()
	p, a, _ := newPeer(t, sip.Options{})
	c, err := a.NewCall(ctx, sip.Target{
		To: "sip:alice@192.0.2.1:5060", From: "+15550100", Name: "An IVR", Watch: watch,
	})
	if err != nil {
		t.Fatal(err)
	}
	dialed = make(chan error, 1)
	go func() { dialed <- c.Dial(ctx) }()
	g := p.next()
	invite, ok := g.Message.(*message.Request)
	if !ok || !invite.IsInvite() {
		t.Fatalf("got %d %s, want an INVITE", g.status, g.method)
	}
	return c, p, invite, dialed
}

func TestDialEnds(t *testing.T) {
	tests := []struct {
		status int
		want   error
		end    sip.End
	}{
		{486, sip.ErrBusy, sip.Rejected},
		{600, sip.ErrBusy, sip.Rejected},
		{480, sip.ErrNoAnswer, sip.NoAnswer},
		{408, sip.ErrNoAnswer, sip.NoAnswer},
		{603, sip.ErrDeclined, sip.Rejected},
		{607, sip.ErrDeclined, sip.Rejected},
		{302, nil, sip.Rejected},
		{404, nil, sip.Rejected},
		{503, nil, sip.Rejected},
	}
	for _, tt := range tests {
		t.Run(strconv.Itoa(tt.status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p, invite, dialed := dialing(t.Context(), t)
				p.answer(invite, tt.status, "")
				err := <-dialed
				var status *sip.StatusError
				if !errors.As(err, &status) || status.Code != tt.status || tt.want != nil && !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %d, %v", err, tt.status, tt.want)
				}
				if c.End() != tt.end {
					t.Errorf("got the end %v, want %v", c.End(), tt.end)
				}
				if g := p.next(); g.method != "ACK" {
					t.Errorf("got %s, want an ACK", g.method)
				}
				if err := c.Dial(t.Context()); !errors.Is(err, sip.ErrEnded) {
					t.Errorf("it is dialed again: %v", err)
				}
			})
		})
	}
}

func TestAPeerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _, _, dialed := dialing(t.Context(), t)
		start := time.Now()
		if err := <-dialed; !errors.Is(err, sip.ErrNoAnswer) || time.Since(start) != 32*time.Second {
			t.Errorf("got %v after %v, want %v after 32 s", err, time.Since(start), sip.ErrNoAnswer)
		}
		if c.End() != sip.NoAnswer {
			t.Errorf("got %v", c.End())
		}
	})
}

// cancelled dials a peer that rings, and cancels.
func cancelled(t *testing.T) (*sip.Call, *peer, *message.Request) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c, p, invite, dialed := dialing(ctx, t)
	p.answer(invite, 180, "")
	synctest.Wait()
	cancel()
	<-dialed
	p.requested("CANCEL", 200)
	return c, p, invite
}

func TestACallOfOursIsGivenUp(t *testing.T) {
	t.Run("while it rings", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			c, p, invite, dialed := dialing(ctx, t)
			p.answer(invite, 180, "")
			if err := <-dialed; !errors.Is(err, sip.ErrNoAnswer) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want %v", err, sip.ErrNoAnswer)
			}
			p.requested("CANCEL", 200)
			p.answer(invite, 487, "")
			if g := p.next(); g.method != "ACK" {
				t.Errorf("got %s, want an ACK", g.method)
			}
			if c.End() != sip.NoAnswer {
				t.Errorf("got %v", c.End())
			}
		})
	})
	t.Run("before the peer says anything", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			_, p, invite, dialed := dialing(ctx, t)
			cancel()
			if err := <-dialed; !errors.Is(err, sip.ErrCancelled) {
				t.Errorf("got %v, want %v", err, sip.ErrCancelled)
			}
			p.silent(100 * time.Millisecond) // no CANCEL yet (RFC 3261, 9.1)
			p.answer(invite, 100, "")
			p.requested("CANCEL", 200)
			p.answer(invite, 487, "")
			p.next()
		})
	})
	t.Run("while it is answered", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p, invite := cancelled(t)
			p.answer(invite, 200, plainSDP) // it was on its way
			if g := p.next(); g.method != "ACK" {
				t.Fatalf("got %s, want an ACK", g.method)
			}
			p.requested("BYE", 200)
			<-c.Done()
		})
	})
	t.Run("by a hang-up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p, invite, dialed := dialing(t.Context(), t)
			p.answer(invite, 180, "")
			synctest.Wait()
			if err := c.HangUp(t.Context()); err != nil {
				t.Error(err)
			}
			p.requested("CANCEL", 200)
			p.answer(invite, 487, "")
			if err := <-dialed; err == nil || c.End() != sip.HungUp {
				t.Errorf("got %v and %v", err, c.End())
			}
			p.next()
		})
	})
	t.Run("an old peer has no answer to it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p, _ := cancelled(t)
			<-c.Done()
			p.silent(40 * time.Second)
		})
	})
}

func TestACallOfOursIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p, invite, dialed := dialing(t.Context(), t)
		if from := invite.From(); from.DisplayName != "An IVR" || from.Address.User != "+15550100" {
			t.Errorf("got a call from %v", from)
		}
		response := func() {
			p.answer(invite, 200, plainSDP,
				"Record-Route: <sip:192.0.2.1:5060;lr>", "Session-Expires: 90;refresher=uas", "Require: timer")
		}
		response()
		if err := <-dialed; err != nil {
			t.Fatal(err)
		}
		for range 3 { // the ACK is lost, and the 200 comes again
			g := p.next()
			if g.method != "ACK" || !strings.Contains(g.String(), "Route: <sip:192.0.2.1:5060;lr>") {
				t.Fatalf("got %q, want an ACK by the way that the answer has taken", g.String())
			}
			response()
		}
		p.next()
		if c.Line().Held() {
			t.Error("the line does not send")
		}
		// The peer does not refresh.
		p.requested("BYE", 200)
		<-c.Done()
		if c.End() != sip.Expired {
			t.Errorf("got %v, want %v", c.End(), sip.Expired)
		}
	})
}

func TestWatchPanicsOrExits(t *testing.T) {
	for name, fail := range map[string]func(){"panics": func() { panic("no") }, "exits": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var states []sip.State
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				c, p, invite, dialed := watching(ctx, t, func(s sip.State) {
					states = append(states, s)
					fail()
				})
				p.answer(invite, 100, "")
				p.answer(invite, 180, "")
				synctest.Wait()
				p.answer(invite, 200, plainSDP)
				if err := <-dialed; err != nil || len(states) != 2 {
					t.Fatalf("got %v after the states %v", err, states)
				}
				p.next() // ACK
				over := make(chan error, 1)
				go func() { over <- c.HangUp(ctx) }()
				p.requested("BYE", 200)
				if err := <-over; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// Who is called gets the CANCEL, whatever Watch does.
func TestACallIsGivenUpWhileWatchBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		blocked, states := make(chan struct{}), 0
		_, p, invite, dialed := watching(ctx, t, func(sip.State) {
			states++
			<-blocked
		})
		p.answer(invite, 180, "")
		synctest.Wait()
		cancel()
		if err := <-dialed; !errors.Is(err, sip.ErrCancelled) {
			t.Errorf("got %v, want %v", err, sip.ErrCancelled)
		}
		p.requested("CANCEL", 200)
		p.answer(invite, 180, "")
		p.answer(invite, 487, "")
		if g := p.next(); g.method != "ACK" {
			t.Errorf("got %s, want an ACK", g.method)
		}
		synctest.Wait()
		if close(blocked); states != 1 {
			t.Errorf("got %d states, want 1: they come one at a time", states)
		}
	})
}

func TestAnAnswerThatCannotBeHad(t *testing.T) {
	for name, body := range map[string]string{"another codec": g729SDP, "nothing": ""} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, p, invite, dialed := dialing(t.Context(), t)
				p.answer(invite, 200, body)
				p.next() // ACK
				p.requested("BYE", 200)
				if err := <-dialed; !errors.Is(err, sip.ErrNotAcceptable) || c.End() != sip.Failed {
					t.Errorf("got %v and %v, want %v", err, c.End(), sip.ErrNotAcceptable)
				}
			})
		})
	}
}

func TestALongerSessionIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p, invite, dialed := dialing(t.Context(), t)
		p.answer(invite, 422, "", "Min-SE: 3600")
		p.next() // ACK
		g := p.next()
		again, ok := g.Message.(*message.Request)
		if !ok || !strings.Contains(g.String(), "Session-Expires: 3600") {
			t.Fatalf("got %q, want another INVITE", g.String())
		}
		p.answer(again, 486, "")
		if err := <-dialed; !errors.Is(err, sip.ErrBusy) {
			t.Errorf("got %v, want %v", err, sip.ErrBusy)
		}
	})
}

func TestACallThatWasNotDialedIsHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, n := newPeer(t, sip.Options{})
		c, err := a.NewCall(t.Context(), sip.Target{To: "sip:alice@192.0.2.1"})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.HangUp(t.Context()); err != nil {
			t.Error(err)
		}
		if a.Calls() != 0 || n.bound() != 2 {
			t.Errorf("%d calls and %d sockets are left", a.Calls(), n.bound())
		}
		if err := c.Dial(t.Context()); !errors.Is(err, sip.ErrEnded) {
			t.Errorf("it is dialed: %v", err)
		}
	})
}

func TestTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, _ := newPeer(t, sip.Options{})
		tests := []struct {
			name, want string
			target     sip.Target
		}{
			{"none", "URI", sip.Target{}},
			{"another scheme", "sip:alice@", sip.Target{To: "tel:+15550100"}},
			{"encrypted", "sip:alice@", sip.Target{To: "sips:alice@192.0.2.1"}},
			{"over TCP", "transport", sip.Target{To: "sip:alice@192.0.2.1;transport=tcp"}},
			{"with another header", "printable", sip.Target{To: "sip:alice@192.0.2.1\r\nX: 1"}},
			{"too long", "512", sip.Target{To: "sip:" + strings.Repeat("a", 600) + "@192.0.2.1"}},
			{"a From that needs escapes", "From", sip.Target{To: "sip:a@192.0.2.1", From: "a b"}},
			{"a name with quotes", "Name", sip.Target{To: "sip:a@192.0.2.1", Name: `"`}},
		}
		for _, tt := range tests {
			if _, err := a.NewCall(t.Context(), tt.target); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want an error that says %q", tt.name, err, tt.want)
			}
		}
		if a.Calls() != 0 {
			t.Errorf("got %d calls, want none", a.Calls())
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	fine := netip.MustParseAddrPort("192.0.2.1:5060")
	tests := []struct {
		want string
		o    sip.Options
	}{
		{"Listen", sip.Options{}},
		{"Listen", sip.Options{Listen: netip.MustParseAddrPort("[::1]:5060")}},
		{"Host", sip.Options{Listen: fine, Host: netip.MustParseAddr("0.0.0.0")}},
		{"Host", sip.Options{Listen: fine, Host: netip.MustParseAddr("::1")}},
		{"User", sip.Options{Listen: fine, User: "a@b"}},
		{"Ports", sip.Options{Listen: fine, Ports: sip.Ports{First: 1001, Last: 1100}}},
		{"Ports", sip.Options{Listen: fine, Ports: sip.Ports{First: 1000, Last: 998}}},
		{"MaxCalls", sip.Options{Listen: fine, MaxCalls: -1}},
		{"Trunks", sip.Options{Listen: fine, Trunks: []netip.Prefix{netip.MustParsePrefix("2001:db8::/64")}}},
		{"MaxInvites", sip.Options{Listen: fine, MaxInvites: -1}},
		{"MaxRequests", sip.Options{Listen: fine, MaxRequests: -1}},
		{"RingTime", sip.Options{Listen: fine, RingTime: -1}},
		{"Logger has no handler", sip.Options{Listen: fine, Logger: slog.New((*slog.TextHandler)(nil))}},
		{"SessionInterval", sip.Options{Listen: fine, SessionInterval: 89 * time.Second}},
		{"SessionInterval", sip.Options{Listen: fine, SessionInterval: 25 * time.Hour}},
	}
	for _, tt := range tests {
		if _, err := sip.Listen(tt.o.WithNetwork(newWire())); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want an error that says %s", err, tt.want)
		}
	}
}
