//go:build phones

package phonetest_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/sip"
)

func TestEveryFrameSizeIsRecorded(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"20 ms": 160, "30 ms": 240, "60 ms": 480} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIVR(t, nil)
			file := capture(t, audio(sine(440, 20), size))
			followed := sipp(t, i, call1, play(file), hungUp())
			c := i.next()
			time.Sleep(time.Second) // real time is meant: sipp plays a file
			const length = 2 * time.Second
			began := time.Now()
			r := result(t, c.enqueue(t, &operation.RecordResponse{MaxDuration: length, NoBeep: true}))
			checkTone(t, c.machine, began, readWAV(t, r.Recording.Location), length)
			if err := c.HangUp(t.Context()); err != nil {
				t.Error(err)
			}
			followed()
		})
	}
}

func TestKeysComeOnceOnAPoorLine(t *testing.T) {
	t.Parallel()
	const pressed = "1590*#"
	events := []byte{1, 5, 9, 0, 10, 11}
	tests := map[string]func(packets []sent) []sent{
		"whole": func(p []sent) []sent { return p },
		"two of three are lost": func(p []sent) []sent {
			n := 0
			return slices.DeleteFunc(p, func(sent) bool { n++; return n%3 != 0 })
		},
		"only the ends": func(p []sent) []sent {
			return slices.DeleteFunc(p, func(s sent) bool { return s.payload[1]&0x80 == 0 })
		},
		"each twice": func(p []sent) []sent {
			for _, s := range slices.Clone(p) {
				s.after += 3 * time.Millisecond
				p = append(p, s)
			}
			return p
		},
		"out of order": func(p []sent) []sent {
			random := rand.New(rand.NewPCG(5, 5))
			for i := range p {
				p[i].after += time.Duration(random.IntN(50)) * time.Millisecond
			}
			return p
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIVR(t, nil)
			var keys []sent
			for n, event := range events {
				keys = append(keys, key(time.Duration(n+1)*300*time.Millisecond, event)...)
			}
			packets := append(change(keys), audio(sine(440, 3), 160)...)
			slices.SortStableFunc(packets, func(a, b sent) int { return int(a.after - b.after) })
			followed := sipp(t, i, call1, play(capture(t, packets)), pause(10*time.Second), hangUp)
			c := i.next()
			if got := c.pressed(t, len(pressed)); got != pressed {
				t.Errorf("got the keys %q, want %q", got, pressed)
			}
			followed()
			wait(t, "the BYE", c.Done())
			for k := range c.keys {
				t.Errorf("the key %q came besides", k)
			}
		})
	}
}

func TestKeysByINFO(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	plain := `v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 0
`
	relay := func(number int, top, signal string) string {
		return send("INFO", number, top, "Signal="+signal+"\nDuration=160\n", "Content-Type: application/dtmf-relay\n")
	}
	followed := sipp(t, i, send("INVITE", 1, via, plain), receive(200), send("ACK", 1, via, ""),
		relay(2, via, "1"), receive(200),
		relay(3, via, "2"), receive(200), relay(3, again(4), "2"), pause(200*time.Millisecond),
		resent(send("INFO", 4, via, "3", "Content-Type: application/dtmf\n")), receive(200),
		// It takes the answer that comes again for one of these, and the BYE may come before an answer.
		resent(relay(5, via, "11")), strings.Repeat(`<recv response="200" optional="true"/>`, 2), hungUp())
	c := i.next()
	if keys := c.pressed(t, 4); keys != "123#" {
		t.Errorf("got the keys %q, want 123#", keys)
	}
	if err := c.HangUp(t.Context()); err != nil {
		t.Error(err)
	}
	followed()
	for k := range c.keys {
		t.Errorf("the key %q came besides", k)
	}
}

func TestWithoutAnACKTheCallEnds(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	start := time.Now()
	// It takes the 200 that comes again and again as one.
	followed := sipp(t, i, send("INVITE", 1, via, pcma), receive(200), hungUp())
	c := <-i.calls
	followed()
	if took := time.Since(start); took < 31*time.Second || took > time.Minute {
		t.Errorf("it took %v, want 32 s", took)
	}
	if c.End() != sip.NoAck {
		t.Errorf("got %v, want %v", c.End(), sip.NoAck)
	}
}

func TestARepeatedINVITEIsOneCall(t *testing.T) {
	t.Parallel()
	calls := make(chan *sip.Call, 10)
	i := newIVR(t, func(c *sip.Call) {
		time.Sleep(time.Second) // real time is meant: sipp repeats its INVITE meanwhile
		_ = c.Answer()
		calls <- c
	})
	// The 100 comes after 200 ms: until then it is sent three times.
	invite := strings.Replace(send("INVITE", 1, via, pcma), "<send>", `<send retrans="50">`, 1)
	// More often than usual, since these are so near together.
	followed := sippWith(t, i, []string{"-max_invite_retrans", "11"}, invite, receive(200), send("ACK", 1, via, ""),
		pause(time.Second), hangUp)
	c := <-calls
	followed()
	wait(t, "the BYE", c.Done())
	if len(calls) > 0 {
		t.Error("a second call came in")
	}
}

func TestACallerGivesUp(t *testing.T) {
	t.Parallel()
	calls := make(chan *sip.Call, 1)
	i := newIVR(t, func(c *sip.Call) {
		_ = c.Ring()
		calls <- c
	})
	followed := sipp(t, i, send("INVITE", 1, via, pcma), `<recv response="100" optional="true"/>`,
		`<recv response="180"/>`, send("CANCEL", 1, again(3), ""), receive(200), `<recv response="487"/>`,
		send("ACK", 1, "[last_Via:]\n", ""))
	followed()
	c := <-calls
	wait(t, "the end", c.Done())
	if c.End() != sip.Cancelled {
		t.Errorf("got %v, want %v", c.End(), sip.Cancelled)
	}
}

func TestACancelAgainstTheAnswer(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	followed := sipp(t, i, send("INVITE", 1, via, pcma), receive(200), send("CANCEL", 1, again(4), ""),
		receive(200), send("ACK", 1, via, ""), pause(time.Second), hangUp)
	c := i.next()
	followed()
	wait(t, "the BYE", c.Done())
}

func TestWithoutACodecInCommon(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	sipp(t, i, send("INVITE", 1, via, g729), receive(488), send("ACK", 1, "[last_Via:]\n", ""))()
	if i.agent.Calls() != 0 {
		t.Error("there is a call")
	}
}

// What is on the wire before a hold, on hold, and after it: sipp sends back each packet that it gets.
func TestAHoldIsSilentAndTimeGoesOn(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	followed := sippWith(t, i, []string{"-rtp_echo"}, call1, pause(2*time.Second),
		reinvite(2, pcma+"a=sendonly\n", ""), pause(time.Second),
		reinvite(3, pcma, ""), pause(2*time.Second), hangUp)
	c := i.next()
	stop := c.listen()
	began := time.Now()
	c.play(t, "long.wav")
	eventually(t, "held", c.Line().Held)
	held := time.Since(began)
	eventually(t, "resumed", func() bool { return !c.Line().Held() })
	resumed := time.Since(began)
	followed()
	wait(t, "the BYE in the middle of a prompt", c.Done())
	heard, said := stop(), speech(2, 20)
	// More than it takes to and fro, and than what comes later since the machine was held up before.
	way := 250*time.Millisecond + max(c.machine.late(), c.machine.lost())
	costs := c.machine.broken(began, time.Now(), time.Second/5)
	for _, test := range []struct {
		when     string
		from, to time.Duration // of the prompt, as if it were played on hold, too
		heard    bool
	}{
		{"before the hold", way, held - way, true},
		{"on hold", held + way, resumed - way, false},
		{"after the hold", resumed + way, resumed + way + 750*time.Millisecond, true},
	} {
		if test.from >= test.to {
			t.Logf("%s there is nothing to be heard; %v", test.when, c.machine)
			continue
		}
		whole, all := pieces(said[rate*test.from/time.Second:rate*test.to/time.Second], heard, rate/5)
		if test.heard && whole+costs <= all/2 || !test.heard && whole > 0 {
			t.Errorf("%s %d of %d pieces of the prompt were heard; %v", test.when, whole, all, c.machine)
		}
		t.Logf("%s %d of %d pieces of the prompt were heard; %v", test.when, whole, all, c.machine)
	}
}

// reinvite is an INVITE in the call, with these descriptions in it and in its ACK.
func reinvite(number int, body, answer string) string {
	return send("INVITE", number, via, body) + receive(200) + send("ACK", number, via, answer) +
		pause(500*time.Millisecond)
}

func TestReINVITEs(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	followed := sipp(t, i, call1,
		reinvite(2, pcma+"a=sendonly\n", ""), pause(5*time.Second), // somebody looks meanwhile
		reinvite(3, "", pcma), // without a description
		send("INVITE", 4, via, g729), receive(488), send("ACK", 4, "[last_Via:]\n", ""),
		reinvite(5, pcma, ""), hangUp)
	c := i.next()
	eventually(t, "held", c.Line().Held)
	eventually(t, "resumed", func() bool { return !c.Line().Held() })
	followed()
}

func TestAPeerThatDoesNotRefreshIsHungUpOn(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	timer := []string{"Supported: timer\n", "Session-Expires: 90;refresher=uac\n"}
	invite := func(number int) string {
		return send("INVITE", number, via, pcma, timer...) + receive(200) + send("ACK", number, via, "")
	}
	start := time.Now()
	followed := sipp(t, i, invite(1), pause(5*time.Second), invite(2), hungUp())
	c := i.next()
	followed()
	if took := time.Since(start); took < 64*time.Second || took > 90*time.Second {
		t.Errorf("it took %v, want 60 s after the refresh at 5 s", took)
	}
	wait(t, "the end", c.Done())
	if c.End() != sip.Expired {
		t.Errorf("got %v, want %v", c.End(), sip.Expired)
	}
}
