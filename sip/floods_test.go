package sip_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/sip"
)

// flood sends so many requests of no call, from so many ports.
func flood(t *testing.T, n *wire, a *sip.Agent, method string, count int) {
	t.Helper()
	for i := range count {
		text := strings.Join([]string{
			method + " sip:ivr@192.0.2.2 SIP/2.0",
			fmt.Sprintf("Via: SIP/2.0/UDP 198.51.100.9;branch=z9hG4bKflood%d", i),
			"From: <sip:mallory@198.51.100.9>;tag=m", "To: <sip:ivr@192.0.2.2>;tag=none",
			fmt.Sprintf("Call-ID: flood-%d", i), "CSeq: 7 " + method, "Max-Forwards: 70",
			"Content-Length: 0",
		}, "\r\n") + "\r\n\r\n"
		n.send(datagram{
			from: netip.AddrPortFrom(netip.MustParseAddr("198.51.100.9"), uint16(1024+i%60000)),
			to:   a.Addr(), data: []byte(text),
		})
		if i%500 == 0 {
			synctest.Wait() // the agent's socket has room for a thousand
		}
	}
	synctest.Wait()
}

// trunk is where the peers are.
var trunk = []netip.Prefix{netip.PrefixFrom(hostA, 32)}

func TestAFloodHoldsUpNoCall(t *testing.T) {
	for _, method := range []string{"OPTIONS", "BYE", "ACK", "INFO"} {
		t.Run(method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := make(chan *sip.Call, 1)
				p, a, n := newPeer(t, sip.Options{Incoming: answering(calls), MaxRequests: 100})
				p.established()
				c := <-calls
				<-c.Established()
				flood(t, n, a, method, 200)
				p.send(p.request("INFO", 2, "5", "Content-Type: application/dtmf"))
				p.wants(200, "INFO")
				p.send(p.request("BYE", 3, ""))
				p.wants(200, "BYE")
			})
		})
	}
}

func TestACallThatFloodsHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 2)
		p, a, n := newPeer(t, sip.Options{Incoming: answering(calls), MaxRequests: 100, Trunks: trunk})
		other := peerOf(t, n, a, 5062)
		p.established()
		other.established()
		<-(<-calls).Established()
		<-(<-calls).Established()
		for i := range 200 {
			p.send(p.request("INFO", 2+i, "5", "Content-Type: application/dtmf"))
		}
		synctest.Wait()
		if taken := len(p.socket.in); taken > 60 {
			t.Errorf("got %d answers, want about 50", taken)
		}
		other.send(other.request("BYE", 2, ""))
		other.wants(200, "BYE")
	})
}

func TestLargeMessagesCountSeveralTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, _ := newPeer(t, sip.Options{MaxRequests: 100, Trunks: trunk})
		long := "X: " + strings.Repeat("y", 20<<10)
		for i := range 50 {
			p.send(p.request("OPTIONS", i+1, "", long))
		}
		synctest.Wait()
		if taken := len(p.socket.in); taken != 100/11 {
			t.Errorf("%d messages of 20 KiB were taken, want %d in a second", taken, 100/11)
		}
	})
}

func TestWhoIsCalledIsInTheRequestURI(t *testing.T) {
	tests := []struct{ name, uri, to, want string }{
		{"the same", "sip:100@192.0.2.2", "<sip:100@example.com>", "100"},
		{"another one", "sip:100@192.0.2.2", "<sip:200@example.com>", "100"},
		{"no number", "sip:192.0.2.2", "<sip:200@example.com>", "200"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, calls := newCaller(t)
				p.send(strings.NewReplacer("sip:ivr@192.0.2.2 SIP", tt.uri+" SIP",
					"To: <sip:ivr@192.0.2.2>", "To: "+tt.to).Replace(p.request("INVITE", 1, plainSDP)))
				p.wants(200, "INVITE")
				p.send(p.request("ACK", 1, ""))
				if got := (<-calls).To().User; got != tt.want {
					t.Errorf("got a call to %q, want to %q", got, tt.want)
				}
				p.send(p.request("BYE", 2, ""))
				p.wants(200, "BYE")
			})
		})
	}
}

// names is a network whose name server never answers.
type names struct{ *wire }

func (names) LookUp(ctx context.Context, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAPeersNameServerDelaysNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := names{newWire()}
		calls := make(chan *sip.Call, 1)
		a := listen(t, sip.Options{
			Listen: netip.AddrPortFrom(hostB, 5060), Logger: quiet, Incoming: answering(calls),
		}.WithNetwork(n))
		p := peerOf(t, n.wire, a, 5060)
		invite := p.request("INVITE", 1, plainSDP)
		p.send(strings.Replace(invite, "<sip:alice@192.0.2.1:5060>", "<sip:alice@slow.example>", 1))
		p.wants(200, "INVITE")
		p.send(p.request("ACK", 1, ""))
		c := <-calls
		<-c.Established()
		before := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		_ = c.HangUp(ctx) // the BYE can't be sent
		if d := time.Since(before); d > 6*time.Second {
			t.Errorf("a hang-up took %v, want the time of a look-up at most", d)
		}
	})
}

// The response to a request that has come through many proxies is as long as that.
func TestALongWayIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan *sip.Call, 1)
		p, _, _ := newPeer(t, sip.Options{Incoming: answering(calls)})
		var way []string
		for i := range 30 {
			way = append(way, fmt.Sprintf("Via: SIP/2.0/UDP 198.51.100.%d;branch=z9hG4bKway", i))
		}
		for i := range 10 {
			way = append(way, fmt.Sprintf("Record-Route: <sip:198.51.100.%d;lr;x=%s>", i, strings.Repeat("y", 100)))
		}
		p.send(p.request("INVITE", 1, plainSDP, way...))
		p.wants(200, "INVITE")
		p.send(p.request("ACK", 1, ""))
		<-(<-calls).Established()
		p.send(p.request("BYE", 2, ""))
		p.wants(200, "BYE")
	})
}

// inviteFrom sends an INVITE as from another address: a call that nobody decides.
func inviteFrom(t *testing.T, n *wire, a *sip.Agent, source string, number int) {
	t.Helper()
	text := strings.Join([]string{
		"INVITE sip:ivr@192.0.2.2 SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bK%s-%d", source, source, number),
		"From: <sip:mallory@198.51.100.9>;tag=m", "To: <sip:ivr@192.0.2.2>",
		fmt.Sprintf("Call-ID: %s-%d", source, number), "CSeq: 1 INVITE", "Max-Forwards: 70",
		"Contact: <sip:mallory@198.51.100.9>", "Content-Length: 0",
	}, "\r\n") + "\r\n\r\n"
	n.send(datagram{
		from: netip.AddrPortFrom(netip.MustParseAddr(source), 5060), to: a.Addr(), data: []byte(text),
	})
	synctest.Wait()
}

func TestASourceTakesHalfOfThePlaces(t *testing.T) {
	some := netip.MustParsePrefix("203.0.113.0/24")
	tests := []struct {
		name    string
		options sip.Options
		sources int // which flood, one after the other
		calls   int // that they have then
	}{
		{"places", sip.Options{MaxCalls: 16}, 1, 8},
		{"of several", sip.Options{MaxCalls: 16}, 3, 14},
		{"of all but trunks", sip.Options{MaxCalls: 16, Trunks: []netip.Prefix{some}}, 3, 8},
		{"in a second", sip.Options{MaxInvites: 16}, 1, 8},
		{"in a second of several", sip.Options{MaxInvites: 16}, 3, 14},
		{"in a second of all but trunks", sip.Options{MaxInvites: 16, Trunks: []netip.Prefix{some}}, 3, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := tt.options
				o.Incoming = func(c *sip.Call) {
					if c.From().User == "alice" {
						_ = c.Answer()
					}
				}
				p, a, n := newPeer(t, o)
				for source := range tt.sources {
					for i := range 20 {
						inviteFrom(t, n, a, fmt.Sprintf("198.51.100.%d", source+1), i)
					}
				}
				if a.Calls() != tt.calls {
					t.Errorf("they have %d calls, want %d", a.Calls(), tt.calls)
				}
				if o.Trunks != nil {
					for i := range 20 {
						inviteFrom(t, n, a, "203.0.113.7", i)
					}
					if a.Calls() != 16 {
						t.Errorf("there are %d calls with those of the trunk, want 16", a.Calls())
					}
					return
				}
				p.established()
				p.send(p.request("BYE", 2, ""))
				p.wants(200, "BYE")
			})
		})
	}
}

// A source's places are free again when its calls have ended.
func TestPlacesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		_, a, n := newPeer(t, sip.Options{MaxCalls: 4, Incoming: func(c *sip.Call) {
			calls.Add(1)
			_ = c.Reject(486)
		}})
		for i := range 20 {
			inviteFrom(t, n, a, "198.51.100.1", i)
		}
		if calls.Load() != 20 {
			t.Errorf("%d calls came in, want 20", calls.Load())
		}
	})
}

func TestASourceTakesHalfOfTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, a, n := newPeer(t, sip.Options{MaxRequests: 100})
		flood(t, n, a, "OPTIONS", 300)
		p.send(p.request("OPTIONS", 1, "")) // by which a proxy finds out whether we are there
		p.wants(200, "OPTIONS")
		flood(t, n, a, "ACK", 300)
		time.Sleep(time.Second)
		p.send(p.request("OPTIONS", 2, ""))
		p.wants(200, "OPTIONS")
	})
}
