//go:build phones

package phonetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"ivrqueue/operation"
	"ivrqueue/sip"
)

// dialed has a phone with these lines in its account call an IVR.
func dialed(t *testing.T, account string) (*phone, *call) {
	t.Helper()
	i := newIVR(t, nil)
	p := newPhone(t, account)
	p.command("dial", i.uri())
	return p, i.next()
}

func TestAPhoneHearsAPrompt(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{"pcmu", "pcma"} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			p, c := dialed(t, "audio_codecs="+codec)
			began := time.Now()
			c.play(t, "short.wav")
			if err := c.Goodbye(t.Context(), c.queue); err != nil {
				t.Error(err)
			}
			p.await("CALL_CLOSED")
			checkHeard(t, c.machine, began, speech(1, 2), p.heard())
		})
	}
}

func TestAPhoneIsRecorded(t *testing.T) {
	t.Parallel()
	p, c := dialed(t, "")
	time.Sleep(time.Second) // real time is meant, here and below: the tone comes in meanwhile
	const length = 3 * time.Second
	began := time.Now()
	r := result(t, c.enqueue(t, &operation.RecordResponse{MaxDuration: length, NoBeep: true}))
	if r.Reason != operation.MaxDuration {
		t.Fatalf("got %v (%v), want %v", r.Reason, r.Err, operation.MaxDuration)
	}
	checkTone(t, c.machine, began, readWAV(t, r.Recording.Location), length)
	p.command("hangup", "")
	wait(t, "the BYE", c.Done())
	if c.End() != sip.PeerHungUp {
		t.Errorf("got %v, want %v", c.End(), sip.PeerHungUp)
	}
}

func TestAPhonePressesKeys(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"rtpevent", "info"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p, c := dialed(t, "dtmfmode="+mode)
			c.play(t, "long.wav")
			p.press("1590*#")
			if keys := c.pressed(t, 6); keys != "1590*#" {
				t.Errorf("got the keys %q, want 1590*#", keys)
			}
			p.command("hangup", "")
			wait(t, "the BYE", c.Done())
		})
	}
}

// With the hold the phone's recording ends, and it plays no more to where nobody listens: of what comes
// after that it counts the packets.
func TestAPhoneHoldsAndResumes(t *testing.T) {
	t.Parallel()
	p, c := dialed(t, "")
	began := time.Now()
	c.play(t, "long.wav")
	eventually(t, "two seconds of it", func() bool { return p.received() >= 2*rate/160 })
	p.press("x")
	eventually(t, "held", c.Line().Held)
	costs := c.machine.broken(began, time.Now(), time.Second/4)
	before := p.received()
	eventually(t, "a second on hold in which no packet comes", func() bool { // some may be on their way
		last := before
		time.Sleep(time.Second)
		before = p.received()
		return before == last
	})
	p.press("X")
	eventually(t, "resumed", func() bool { return !c.Line().Held() })
	eventually(t, "heard again", func() bool { return p.received() >= before+rate/160 })
	p.command("hangup", "")
	wait(t, "the BYE in the middle of a prompt", c.Done())
	wait(t, "the queue's end", c.queue.Done())
	p.await("CALL_CLOSED")
	heard, said := p.heard(), speech(2, 20)
	if whole, all := pieces(said[rate/4:rate*7/4], heard, rate/4); whole+costs <= all/2 {
		t.Errorf("before the hold %d of %d pieces of the prompt were heard; %v", whole, all, c.machine)
	}
}

func TestAPhoneIsCalled(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	p := newPhone(t, "answermode=auto")
	var states []sip.State
	out, err := i.agent.NewCall(t.Context(), sip.Target{
		To: "sip:phone@127.0.0.1:" + itoa(p.sip), From: "+15550100", Name: "An IVR",
		Watch: func(s sip.State) { states = append(states, s) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c := i.take(out)
	if err := out.Dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	c.play(t, "short.wav")
	if err := c.Goodbye(t.Context(), c.queue); err != nil {
		t.Error(err)
	}
	p.await("CALL_CLOSED")
	checkHeard(t, c.machine, began, speech(1, 2), p.heard())
}

func TestAPhoneDeclines(t *testing.T) {
	t.Parallel()
	i := newIVR(t, nil)
	p := newPhone(t, "answermode=manual")
	out, err := i.agent.NewCall(t.Context(), sip.Target{To: "sip:phone@127.0.0.1:" + itoa(p.sip)})
	if err != nil {
		t.Fatal(err)
	}
	dialed := make(chan error, 1)
	go func() { dialed <- out.Dial(context.Background()) }()
	p.await("CALL_INCOMING")
	p.command("hangup", "")
	if err := <-dialed; !errors.Is(err, sip.ErrBusy) && !errors.Is(err, sip.ErrDeclined) {
		t.Errorf("got %v, want that it was declined", err)
	}
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
