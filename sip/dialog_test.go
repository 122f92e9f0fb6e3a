package sip_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	message "github.com/emiago/sipgo/sip"

	"ivrqueue/sip"
	"ivrqueue/tone"
)

func TestWithoutAnACKTheCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := newCaller(t)
		p.send(p.request("INVITE", 1, plainSDP))
		for _, want := range []float64{0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5} {
			if g := p.wants(200, "INVITE"); g.after.Seconds() != want {
				t.Errorf("a 200 came after %v, want %v s", g.after, want)
			}
		}
		if g := p.requested("BYE", 200); g.after != 32*time.Second {
			t.Errorf("the BYE came after %v, want 32 s", g.after)
		}
		c := <-calls
		<-c.Done()
		if c.End() != sip.NoAck {
			t.Errorf("got %v, want %v", c.End(), sip.NoAck)
		}
	})
}

func TestAnINVITEThatIsRepeatedIsOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 10)
		p, a, _ := newPeer(t, sip.Options{Incoming: func(c *sip.Call) { calls <- c }})
		invite := p.request("INVITE", 1, plainSDP)
		for range 5 {
			p.send(invite)
			synctest.Wait()
		}
		c := <-calls
		if err := c.Answer(); err != nil {
			t.Fatal(err)
		}
		p.send(invite)
		p.wants(200, "INVITE")
		p.send(p.request("ACK", 1, ""))
		<-c.Established()
		if len(calls) > 0 || a.Calls() != 1 {
			t.Errorf("got %d calls, want 1", a.Calls())
		}
		p.send(strings.Replace(invite, "branch=", "branch=z9hG4bKother", 1))
		p.wants(482, "INVITE") // by another way
		p.send(p.request("ACK", 1, ""))
		p.send(p.request("BYE", 2, ""))
		p.wants(200, "BYE")
	})
}

// A proxy that forks a call may send it here twice, at the same moment.
func TestACallThatComesByTwoWaysAtOnceIsOne(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			calls := make(chan *sip.Call, 2)
			p, a, n := newPeer(t, sip.Options{Incoming: func(c *sip.Call) { calls <- c }})
			invite := p.request("INVITE", 1, plainSDP)
			p.send(invite)
			p.send(strings.Replace(invite, ";branch=z9hG4bK", ";branch=z9hG4bKother", 1))
			p.wants(482, "INVITE")
			synctest.Wait()
			if len(calls) != 1 || a.Calls() != 1 || n.bound() != 3 { // theirs, ours, and its line
				t.Fatalf("%d calls came in, and %d are there, with %d sockets", len(calls), a.Calls(), n.bound())
			}
			if err := (<-calls).Answer(); err != nil {
				t.Fatal(err)
			}
			answer := p.next()
			for answer.status != 200 { // the 482 has no ACK, and comes again
				answer = p.next()
			}
			p.send(p.request("ACK", 1, ""))
			p.send(p.request("BYE", 2, ""))
			for answer.method != "BYE" {
				answer = p.next()
			}
		})
	}
}

func TestTheCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 1)
		p, _, _ := newPeer(t, sip.Options{Incoming: func(c *sip.Call) {
			_ = c.Ring()
			calls <- c
		}})
		p.send(p.request("INVITE", 1, plainSDP))
		p.wants(180, "INVITE")
		p.tag = ""
		p.send(p.request("CANCEL", 1, ""))
		p.wants(200, "CANCEL")
		p.wants(487, "INVITE")
		c := <-calls
		<-c.Done()
		if err := c.Answer(); !errors.Is(err, sip.ErrCancelled) || c.End() != sip.Cancelled {
			t.Errorf("got %v and %v, want %v", err, c.End(), sip.ErrCancelled)
		}
	})
}

func TestACancelAfterTheAnswerIsTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := newCaller(t)
		p.send(p.request("INVITE", 1, plainSDP))
		p.wants(200, "INVITE")
		tag := p.tag
		p.tag = ""
		p.send(p.request("CANCEL", 1, ""))
		p.wants(200, "CANCEL")
		p.tag = tag
		p.send(p.request("ACK", 1, ""))
		c := <-calls
		<-c.Established()
		p.send(p.request("BYE", 2, ""))
		p.wants(200, "BYE")
	})
}

func TestACancelAndTheAnswerAtOnce(t *testing.T) {
	outcomes := make(map[int]int)
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			calls, results := make(chan *sip.Call, 1), make(chan error, 1)
			p, a, _ := newPeer(t, sip.Options{Incoming: func(c *sip.Call) { calls <- c }})
			p.send(p.request("INVITE", 1, plainSDP))
			c := <-calls
			go func() { results <- c.Answer() }()
			p.send(p.request("CANCEL", 1, ""))
			err := <-results
			// The last description is repeated every time.
			final := 0
			for final < 200 || p.t.Failed() {
				if g := p.next(); g.method == "INVITE" {
					final = g.status
				}
			}
			outcomes[final]++
			if cancelled := errors.Is(err, sip.ErrCancelled); cancelled != (final == 487) {
				t.Fatalf("Answer returned %v, the peer got %d", err, final)
			}
			if final == 200 {
				p.send(p.request("ACK", 1, ""))
				<-c.Established()
				return
			}
			for range 3 { // without its ACK
				for g := p.next(); ; g = p.next() {
					if g.method == "INVITE" {
						if g.status != 487 {
							t.Fatalf("after a 487 the peer got %d", g.status)
						}
						break
					}
				}
			}
			<-c.Done()
			if a.Calls() != 0 {
				t.Error("the call is still there")
			}
		})
	}
	t.Logf("finals: %v", outcomes)
}

func TestOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newPeer(t, sip.Options{})
		p.send(p.request("OPTIONS", 1, ""))
		if text := p.wants(200, "OPTIONS").String(); !strings.Contains(text, "Allow: INVITE, ") ||
			!strings.Contains(text, "Accept: application/sdp") {
			t.Errorf("got %q, want what is allowed and accepted", text)
		}
	})
}

func TestReINVITE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := newCaller(t)
		p.established()
		c := <-calls
		<-c.Established()
		number := 1
		reinvite := func(body string, status int) string {
			t.Helper()
			number++
			p.send(p.request("INVITE", number, body))
			return string(p.wants(status, "INVITE").Body())
		}
		ack := func(body string) {
			p.send(p.request("ACK", number, body))
			synctest.Wait()
		}
		if text := reinvite(holdSDP, 200); !strings.Contains(text, "a=recvonly") || !c.Line().Held() {
			t.Errorf("a hold is answered by %q", text)
		}
		ack("")
		reinvite(g729SDP, 488)
		ack("")
		if !c.Line().Held() {
			t.Error("a re-INVITE that was refused has changed something")
		}
		if text := reinvite("", 200); !strings.Contains(text, "m=audio") || !strings.Contains(text, " 8 ") {
			t.Errorf("a re-INVITE without a description is answered by %q, want an offer", text)
		}
		ack(plainSDP)
		if c.Line().Held() {
			t.Error("the call is still held, want it resumed by the answer in the ACK")
		}
		p.send(p.request("INVITE", 2, plainSDP)) // from long ago
		p.wants(500, "INVITE")
		p.send(p.request("ACK", 2, ""))
		// The ACK is lost: the 200 comes again, and then the call ends.
		reinvite(plainSDP, 200)
		p.wants(200, "INVITE")
		p.wants(200, "INVITE")
		ack("")
		p.silent(5 * time.Second)
		if c.End() != 0 {
			t.Errorf("the call has ended: %v", c.End())
		}
		p.send(p.request("BYE", number+1, ""))
		p.wants(200, "BYE")
	})
}

func TestADelayedOffer(t *testing.T) {
	for _, tt := range []struct {
		name, answer string
		fine         bool
	}{{"answered", plainSDP, true}, {"answered by nothing", "", false}, {"by another codec", g729SDP, false}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, calls := newCaller(t)
				p.send(p.request("INVITE", 1, ""))
				if text := p.wants(200, "INVITE").Body(); !strings.Contains(string(text), "m=audio") {
					t.Errorf("got %q, want an offer", text)
				}
				p.send(p.request("ACK", 1, tt.answer))
				c := <-calls
				if !tt.fine {
					p.requested("BYE", 200)
					<-c.Done()
					return
				}
				<-c.Established()
				if c.Line().Held() {
					t.Error("the line does not send")
				}
			})
		})
	}
}

func TestKeysByINFO(t *testing.T) {
	for _, sdp := range []string{plainSDP, audioSDP} { // without, and with keys by RTP
		synctest.Test(t, func(t *testing.T) {
			p, calls := newCaller(t)
			p.send(p.request("INVITE", 1, sdp))
			p.wants(200, "INVITE")
			p.send(p.request("ACK", 1, ""))
			c := <-calls
			<-c.Established()
			keys := c.Tones().Subscribe()
			info := func(number int, key string) string {
				return p.request("INFO", number, "Signal="+key+"\r\nDuration=160\r\n",
					"Content-Type: application/dtmf-relay")
			}
			two, three, four := info(2, "1"), info(3, "2"), info(4, "3")
			for _, text := range []string{three, two, two, three, four} { // out of order, and twice
				p.send(text)
				p.wants(200, "INFO")
			}
			p.send(p.request("INFO", 5, "{}", "Content-Type: application/json"))
			p.wants(415, "INFO")
			p.send(p.request("INFO", 6, ""))
			p.wants(200, "INFO")
			var got []byte
			for e, ok := keys.TryNext(); ok; e, ok = keys.TryNext() {
				got = append(got, e.Tone.Char())
			}
			want := "123"
			if sdp == audioSDP {
				want = ""
			}
			if string(got) != want {
				t.Errorf("got the keys %q, want %q", got, want)
			}
		})
	}
}

func TestSessionTimers(t *testing.T) {
	t.Run("the peer does not refresh", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, calls := newCaller(t)
			p.send(p.request("INVITE", 1, plainSDP, "Supported: timer", "Session-Expires: 90"))
			text := p.wants(200, "INVITE").String()
			if !strings.Contains(text, "Session-Expires: 90;refresher=uac") ||
				!strings.Contains(text, "Require: timer") {
				t.Errorf("got %q, want that the peer refreshes", text)
			}
			p.send(p.request("ACK", 1, ""))
			time.Sleep(50 * time.Second)
			p.send(p.request("INVITE", 2, plainSDP, "Supported: timer", "Session-Expires: 90;refresher=uac"))
			p.wants(200, "INVITE")
			p.send(p.request("ACK", 2, ""))
			if g := p.requested("BYE", 200); g.after != 110*time.Second {
				t.Errorf("the BYE came after %v, want 60 s after the refresh", g.after)
			}
			c := <-calls
			<-c.Done()
			if c.End() != sip.Expired {
				t.Errorf("got %v, want %v", c.End(), sip.Expired)
			}
		})
	})
	t.Run("we refresh", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, calls := newCaller(t)
			p.established("Supported: timer", "Session-Expires: 90;refresher=uas")
			c := <-calls
			for i, status := range []int{491, 200, 200} { // the first one comes at a bad time
				g := p.next()
				r, ok := g.Message.(*message.Request)
				if want := time.Duration([]float64{45, 48, 93}[i] * 1e9); !ok || g.method != "INVITE" || g.after != want {
					t.Fatalf("got %d %s after %v, want a refresh after %v", g.status, g.method, g.after, want)
				}
				p.answer(r, status, plainSDP, "Session-Expires: 90;refresher=uac")
				if g := p.next(); g.method != "ACK" {
					t.Fatalf("got %d %s, want an ACK", g.status, g.method)
				}
			}
			if c.End() != 0 {
				t.Errorf("the call has ended: %v", c.End())
			}
			p.send(p.request("BYE", 2, ""))
			p.wants(200, "BYE")
		})
	})
	t.Run("the peer knows nothing of us any more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, calls := newCaller(t)
			p.established("Supported: timer", "Session-Expires: 90;refresher=uas")
			g := p.next()
			p.answer(g.Message.(*message.Request), 481, "")
			p.next() // its ACK
			p.requested("BYE", 481)
			c := <-calls
			<-c.Done()
			if c.End() != sip.Failed {
				t.Errorf("got %v, want %v", c.End(), sip.Failed)
			}
		})
	})
	t.Run("none", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, _, _ := newPeer(t, sip.Options{Incoming: answering(make(chan *sip.Call, 1))})
			p.established()
			p.silent(48 * time.Hour)
		})
	})
}

// refreshing is a call that ends while our refresh is under way, which is returned.
func refreshing(t *testing.T, byUs bool) (*peer, *message.Request) {
	t.Helper()
	p, calls := newCaller(t)
	p.established("Supported: timer", "Session-Expires: 90;refresher=uas")
	r, ok := p.next().Message.(*message.Request)
	if !ok || !r.IsInvite() {
		t.Fatalf("got %v, want a refresh", r)
	}
	c := <-calls
	if byUs {
		ended := make(chan error, 1)
		go func() { ended <- c.HangUp(t.Context()) }()
		p.requested("BYE", 200)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	} else {
		p.send(p.request("BYE", 2, ""))
		p.wants(200, "BYE")
		<-c.Done()
	}
	synctest.Wait()
	return p, r
}

// The peer answers what was pending when the call ended (RFC 3261, 15.1.2), and wants its ACK, or sends
// its answer again and again.
func TestTheCallEndsWhileWeRefresh(t *testing.T) {
	for name, byUs := range map[string]bool{"we hang up": true, "the peer does": false} {
		for _, status := range []int{487, 200} {
			t.Run(fmt.Sprint(name, ", ", status), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, r := refreshing(t, byUs)
					p.answer(r, status, plainSDP)
					if g := p.next(); g.method != "ACK" {
						t.Errorf("got %d %s, want an ACK", g.status, g.method)
					}
					p.silent(time.Minute)
				})
			})
		}
		t.Run(name+", and there is no answer", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, r := refreshing(t, byUs)
				p.answer(r, 100, "")
				p.silent(time.Minute)
				p.answer(r, 487, "")
				p.silent(time.Minute) // it was given up
			})
		})
	}
}

func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 10)
		p, a, n := newPeer(t, sip.Options{Incoming: answering(calls), MaxCalls: 2, Trunks: trunk})
		p.established()
		second := peerOf(t, n, a, 5061)
		second.established()
		third := peerOf(t, n, a, 5062)
		third.send(third.request("INVITE", 1, plainSDP))
		if text := third.wants(503, "INVITE").String(); !strings.Contains(text, "Retry-After: ") {
			t.Errorf("got %q, want it to say when to try again", text)
		}
		if _, err := a.NewCall(t.Context(), sip.Target{To: "sip:a@192.0.2.1"}); !errors.Is(err, sip.ErrUnavailable) {
			t.Errorf("a call of ours: got %v, want %v", err, sip.ErrUnavailable)
		}
		p.send(p.request("BYE", 2, ""))
		p.wants(200, "BYE")
		third.callID = "again"
		third.established()
	})
}

func TestShutdownHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 2)
		p, a, n := newPeer(t, sip.Options{Incoming: func(c *sip.Call) {
			if c.From().User == "alice" {
				_ = c.Answer()
			}
			calls <- c
		}})
		p.established()
		waiting := peerOf(t, n, a, 5061)
		waiting.send(strings.Replace(waiting.request("INVITE", 1, plainSDP), "alice", "bob", 1))
		<-calls
		<-calls
		down := make(chan error, 1)
		go func() { down <- a.Shutdown(context.Background()) }()
		waiting.wants(503, "INVITE")
		late := peerOf(t, n, a, 5062)
		late.send(late.request("INVITE", 1, plainSDP))
		late.wants(503, "INVITE")
		p.requested("BYE", 200)
		if err := <-down; err != nil {
			t.Error(err)
		}
		if left := n.bound() - 3; left != 0 { // the peers'
			t.Errorf("%d sockets are left", left)
		}
	})
}

func TestShutdownWaitsNoLongerThanItMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a, _ := newPeer(t, sip.Options{Incoming: answering(make(chan *sip.Call, 1))})
		p.established()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) { // its BYE has no answer
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

func TestIncomingPanicsOrExits(t *testing.T) {
	for want, incoming := range map[string]func(*sip.Call){
		"no": func(*sip.Call) { panic("no") }, "Incoming": func(*sip.Call) { runtime.Goexit() },
	} {
		synctest.Test(t, func(t *testing.T) {
			var values []string
			n := newWire()
			a := listen(t, sip.Options{
				Listen: netip.AddrPortFrom(hostB, 5060), Incoming: incoming,
				Logger: slog.New(keeper{slog.DiscardHandler, new(sync.Mutex), &values}),
			}.WithNetwork(n))
			p := peerOf(t, n, a, 5060)
			p.send(p.request("INVITE", 1, plainSDP))
			p.wants(500, "INVITE")
			p.send(p.request("ACK", 1, ""))
			synctest.Wait()
			if a.Calls() != 0 {
				t.Error("the call is still there")
			}
			if !slices.Contains(values, want) {
				t.Errorf("got the log %q, want %q in it", values, want)
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newPeer(t, sip.Options{Incoming: func(c *sip.Call) {
			if err := c.Redirect("not a URI\r\nX: 1"); err == nil {
				t.Error("a URI that is none is taken")
			}
			if err := c.Redirect("sip:bob@192.0.2.7:5070"); err != nil {
				t.Error(err)
			}
		}})
		p.send(p.request("INVITE", 1, plainSDP))
		if text := p.wants(302, "INVITE").String(); !strings.Contains(text, "Contact: <sip:bob@192.0.2.7:5070>") {
			t.Errorf("got %q, want the other contact", text)
		}
	})
}

func TestManyAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a, n := newPeer(t, sip.Options{
			Incoming: answering(make(chan *sip.Call, 1)), MaxRequests: 1 << 20,
		})
		p.established()
		options := strings.Replace(p.request("OPTIONS", 7, ""), "Call-ID: ", "Call-ID: no-", 1)
		for i := range 20_000 { // more than the stack is to remember
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 5060)
			text := strings.Replace(options, "branch=", fmt.Sprintf("branch=z9hG4bK-%d", i), 1)
			n.send(datagram{from: from, to: a.Addr(), data: []byte(text)})
			if i%500 == 0 {
				time.Sleep(time.Second)
			}
		}
		p.send(p.request("BYE", 8, ""))
		p.wants(200, "BYE")
	})
}

func TestAHangUpWaitsForTheACK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := newCaller(t)
		p.send(p.request("INVITE", 1, plainSDP))
		p.wants(200, "INVITE")
		c := <-calls
		ended := make(chan error, 1)
		go func() { ended <- c.HangUp(t.Context()) }()
		<-c.Done() // for this end
		if g := p.wants(200, "INVITE"); g.after != 500*time.Millisecond {
			t.Errorf("the 200 came again after %v, want 500 ms", g.after)
		}
		p.send(p.request("ACK", 1, ""))
		p.requested("BYE", 200) // not before (RFC 3261, 15)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyThePeerIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, calls := newCaller(t)
		p.established()
		for _, method := range []string{"BYE", "INVITE", "INFO"} {
			p.send(strings.Replace(p.request(method, 7, ""), ">;tag=a", ">;tag=somebody", 1))
			p.wants(481, method)
			if method == "INVITE" {
				p.send(p.request("ACK", 7, ""))
			}
		}
		if c := <-calls; c.End() != 0 {
			t.Errorf("somebody else has ended the call: %v", c.End())
		}
		p.final = 200
		p.send(p.request("BYE", 2, ""))
		p.wants(200, "BYE")
	})
}

// A 487 that is lost comes again, whatever was sent at the same time.
func TestACancelAndAnotherResponseAtOnce(t *testing.T) {
	for name, respond := range map[string]func(*sip.Call) error{
		"180": (*sip.Call).Ring, "486": func(c *sip.Call) error { return c.Reject(486) },
	} {
		for range 200 {
			synctest.Test(t, func(t *testing.T) {
				calls, responded := make(chan *sip.Call, 1), make(chan struct{})
				p, _, _ := newPeer(t, sip.Options{Incoming: func(c *sip.Call) { calls <- c }})
				p.send(p.request("INVITE", 1, plainSDP))
				c := <-calls
				go func() {
					defer close(responded)
					_ = respond(c)
				}()
				p.send(p.request("CANCEL", 1, ""))
				<-responded
				final := 0
				for range 6 { // the 200 of the CANCEL, and no ACK to the final response
					g := p.next()
					if g.method == "INVITE" && final > 0 && g.status != final {
						t.Fatalf("%s: after a %d the peer got %d", name, final, g.status)
					}
					if g.method == "INVITE" && g.status >= 300 {
						final = g.status
					}
				}
				<-c.Done()
			})
		}
	}
}

// version returns the version of a session description.
func version(t *testing.T, text []byte) int {
	t.Helper()
	_, origin, _ := strings.Cut(string(text), "o=- ")
	var id, v int
	if _, err := fmt.Sscan(origin, &id, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestADescriptionHasAVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newPeer(t, sip.Options{Incoming: answering(make(chan *sip.Call, 1))})
		var versions []int
		for i, sdp := range []string{plainSDP, plainSDP, holdSDP, plainSDP, plainSDP} {
			p.send(p.request("INVITE", i+1, sdp))
			versions = append(versions, version(t, p.wants(200, "INVITE").Body()))
			p.send(p.request("ACK", i+1, ""))
			synctest.Wait()
		}
		if want := []int{0, 0, 1, 2, 2}; !slices.Equal(versions, want) {
			t.Errorf("got the versions %v, want %v (RFC 3264, 8)", versions, want)
		}
		p.send(p.request("BYE", 9, ""))
		p.wants(200, "BYE")
	})
}

// keeper is a handler of log/slog that keeps the values.
type keeper struct {
	slog.Handler

	mu     *sync.Mutex
	values *[]string
}

func (k keeper) Handle(_ context.Context, r slog.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		*k.values = append(*k.values, a.Value.String())
		return true
	})
	return nil
}

func (k keeper) Enabled(context.Context, slog.Level) bool { return true }

func (k keeper) WithAttrs(attrs []slog.Attr) slog.Handler {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range attrs {
		*k.values = append(*k.values, a.Value.String())
	}
	return k
}

func TestWhatPeersSayIsEscapedInLogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var values []string
		n := newWire()
		a := listen(t, sip.Options{
			Listen: netip.AddrPortFrom(hostB, 5060), Incoming: func(c *sip.Call) { _ = c.Reject(486) },
			Logger: slog.New(keeper{slog.DiscardHandler, new(sync.Mutex), &values}),
		}.WithNetwork(n))
		p := peerOf(t, n, a, 5060)
		p.callID = "id\x1b[31m\u202e"
		invite := p.request("INVITE", 1, plainSDP)
		invite = strings.Replace(invite, "From: ", "From: \"\x1b]0;"+strings.Repeat("é", 500)+"\x07\" ", 1)
		p.send(invite)
		p.wants(486, "INVITE")
		synctest.Wait()
		if len(values) == 0 {
			t.Fatal("nothing is logged")
		}
		for _, v := range values {
			if strings.HasPrefix(v, `"`) {
				t.Errorf("%s is logged in quotes: a handler puts others around it", v)
			}
			if len(v) > 2000 || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("%d bytes are logged, as they came: %q", len(v), v)
			}
		}
	})
}

func TestAReINVITEWhileWeRefreshIsTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newPeer(t, sip.Options{Incoming: answering(make(chan *sip.Call, 1))})
		p.established("Supported: timer", "Session-Expires: 90;refresher=uas")
		g := p.next()
		p.send(p.request("INVITE", 2, holdSDP))
		p.wants(491, "INVITE") // RFC 3261, 14.2
		p.send(p.request("ACK", 2, ""))
		p.answer(g.Message.(*message.Request), 200, plainSDP)
		p.next() // its ACK
		p.final = 200
		p.send(p.request("BYE", 3, ""))
		p.wants(200, "BYE")
	})
}

func TestAKeyIsPublishedBeforeItIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 1)
		p, _, n := newPeer(t, sip.Options{Incoming: answering(calls)})
		p.established()
		keys := (<-calls).Tones().Subscribe()
		n.mu.Lock()
		n.watch = func(d datagram) {
			if text := string(d.data); !strings.HasPrefix(text, "SIP/2.0 200") || !strings.Contains(text, " INFO") {
				return
			}
			if e, ok := keys.TryNext(); !ok || e.Tone != tone.Tone5 {
				t.Errorf("got %v, %v when the answer is sent, want the key", e.Tone, ok)
			}
		}
		n.mu.Unlock()
		p.send(p.request("INFO", 2, "5", "Content-Type: application/dtmf"))
		p.wants(200, "INFO")
		p.send(p.request("BYE", 3, ""))
		p.wants(200, "BYE")
	})
}

// during is a handler of log/slog that does something when a line is logged.
type during struct {
	slog.Handler

	line string
	do   func()
}

func (d during) Enabled(context.Context, slog.Level) bool { return true }
func (d during) WithAttrs([]slog.Attr) slog.Handler       { return d }

func (d during) Handle(_ context.Context, r slog.Record) error {
	if r.Message == d.line {
		d.do()
	}
	return nil
}

func TestALoggerThatPanicsEndsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newWire()
		a := listen(t, sip.Options{
			Listen: netip.AddrPortFrom(hostB, 5060), Incoming: answering(make(chan *sip.Call, 1)),
			Logger: slog.New(struct{ slog.Handler }{}),
		}.WithNetwork(n))
		p := peerOf(t, n, a, 5060)
		p.established()
		p.send(p.request("INVITE", 2, g729SDP))
		p.wants(488, "INVITE")
		p.send(p.request("ACK", 2, ""))
		p.send(p.request("BYE", 3, ""))
		p.wants(200, "BYE")
		if a.Calls() != 0 {
			t.Error("the call is still there")
		}
	})
}

// A handler that blocks for one call's line holds up no other call: nothing is locked meanwhile.
func TestALoggerThatBlocksHoldsUpNoOtherCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var blocked atomic.Bool
		n, free := newWire(), make(chan struct{})
		a := listen(t, sip.Options{
			Listen: netip.AddrPortFrom(hostB, 5060), Incoming: answering(make(chan *sip.Call, 2)),
			Logger: slog.New(during{slog.DiscardHandler, "call ended", func() {
				if blocked.CompareAndSwap(false, true) {
					<-free
				}
			}}),
		}.WithNetwork(n))
		p, other := peerOf(t, n, a, 5060), peerOf(t, n, a, 5062)
		p.established()
		p.send(p.request("BYE", 2, ""))
		p.silent(time.Second)
		other.established()
		other.send(other.request("BYE", 2, ""))
		other.wants(200, "BYE")
		close(free)
		p.wants(200, "BYE")
	})
}

// A BYE that overtakes a re-INVITE which is being looked at ends that: its 200 would have no ACK.
func TestAByeEndsAReINVITE(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newWire()
		var p *peer
		a := listen(t, sip.Options{
			Listen: netip.AddrPortFrom(hostB, 5060), Incoming: answering(make(chan *sip.Call, 1)),
			Logger: slog.New(during{slog.DiscardHandler, "call established", func() {
				p.send(p.request("BYE", 3, ""))
				synctest.Wait()
			}}),
		}.WithNetwork(n))
		p = peerOf(t, n, a, 5060)
		p.send(p.request("INVITE", 1, plainSDP))
		p.wants(200, "INVITE")
		reinvite := p.request("INVITE", 2, holdSDP) // whoever asks for more has got our answer
		p.send(reinvite)
		p.wants(200, "BYE")
		p.wants(487, "INVITE")
		p.send(strings.NewReplacer("INVITE sip", "ACK sip", "2 INVITE", "2 ACK").Replace(reinvite))
		p.silent(time.Minute)
	})
}

// Both hang up while an ACK is due: it does not come any more, and nobody waits for it.
func TestAByeInsteadOfTheACK(t *testing.T) {
	for _, number := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			p, calls := newCaller(t)
			for i := range number {
				p.send(p.request("INVITE", i+1, plainSDP))
				p.wants(200, "INVITE")
			}
			c := <-calls
			ended := make(chan error, 1)
			go func() { ended <- c.HangUp(t.Context()) }()
			<-c.Done()
			p.send(p.request("BYE", 3, ""))
			for range 2 { // our BYE, and the answer to the peer's, in whatever order
				g := p.next()
				if r, ok := g.Message.(*message.Request); ok {
					p.answer(r, 481, "")
				}
				if g.method != "BYE" {
					t.Errorf("got %d %s, want a BYE and an answer to one", g.status, g.method)
				}
			}
			if err := <-ended; err != nil {
				t.Error(err)
			}
			p.silent(time.Minute)
		})
	}
}

// A re-INVITE that comes while our answer is being sent has one 200 at each instant, too.
func TestAReINVITEHasOneAnswerAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 1)
		p, _, n := newPeer(t, sip.Options{Incoming: answering(calls)})
		var first, second sync.Once
		answered := make(chan struct{})
		n.watch = func(d datagram) {
			m, err := message.ParseMessage(d.data)
			if r, ok := m.(*message.Response); err != nil || !ok || !r.IsSuccess() {
				return
			}
			switch m.CSeq().SeqNo {
			case 1:
				first.Do(func() {
					p.tag, _ = m.To().Params.Get("tag")
					p.send(p.request("INVITE", 2, holdSDP))
					<-answered
				})
			case 2:
				second.Do(func() { close(answered) })
			}
		}
		p.send(p.request("INVITE", 1, plainSDP))
		for _, want := range []float64{0, 0, 0.5, 1.5} { // the first two are one of each
			if g := p.wants(200, "INVITE"); g.after.Seconds() != want {
				t.Errorf("a 200 came after %v, want %v s", g.after, want)
			}
		}
		p.send(p.request("ACK", 2, ""))
		p.send(p.request("BYE", 3, ""))
		p.wants(200, "BYE")
	})
}
