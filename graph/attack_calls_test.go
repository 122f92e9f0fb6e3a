package graph_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"ivrqueue/graph"
	"ivrqueue/webhook"
)

// A bot that hangs up a call which was never established has not established it by that: media can't
// be asked for, also while the platform hangs up, and when that fails.
func TestHangingUpDoesNotEstablishACall(t *testing.T) {
	t.Parallel()
	for _, state := range []graph.CallState{graph.Incoming, graph.Ringing, graph.Establishing, graph.Redirecting, graph.Established} {
		synctest.Test(t, func(t *testing.T) {
			p := &platform{tb: t}
			h, err := graph.New(graph.Platform{
				Authenticate: authenticate, Deliver: new(inbox).Deliver, SendsTones: true,
				Mute: p.mute, Transfer: p.transfer, UpdateRecordingStatus: p.updateRecordingStatus,
				HangUp: func(context.Context, *graph.Call) error { return errors.New("the line is busy") },
			}, graph.WithLogger(quiet))
			if err != nil {
				t.Fatal(err)
			}
			p.handler = h
			defer p.stop()
			bot, call := p.direct(), p.ring()
			if err := call.SetState(graph.State{Call: state}); err != nil {
				t.Fatal(err)
			}
			path := "/communications/calls/" + call.ID().String()
			bot.request("DELETE", path, nil).must(t, 500)
			equal(t, "state", call.State().Call, graph.Terminating)
			refused, participants := 409, 1
			if state == graph.Established {
				refused, participants = 200, 2
			}
			for action, body := range map[string]string{
				"playPrompt": playBody, "recordResponse": recordBody, "cancelMediaProcessing": `{}`, "subscribeToTone": `{}`,
				"sendDtmfTones": `{"tones":["tone1"]}`, "mute": `{}`, "updateRecordingStatus": `{"status":"recording"}`,
			} {
				equal(t, string(state)+": "+action, bot.post(call, action, body).status, refused)
			}
			list, _ := at(bot.request("GET", path+"/participants", nil).must(t, 200).body, "value").([]any)
			equal(t, string(state)+": participants", len(list), participants)
		})
	}
}

// What waits for a bot that does not listen, by muting and unmuting, is bounded, as all that is kept
// for it; and what was delivered makes room. A mute that fails keeps nothing.
func TestNotificationsOfMutingAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		listens := make(chan struct{})
		largest := 0
		p := newPlatform(t, func(_ context.Context, d webhook.Delivery) error {
			<-listens
			largest = max(largest, len(d.Body))
			return nil
		}, graph.WithMaxBytes(64<<10, 0))
		bot, call := p.direct(), p.ring()
		_ = call.SetState(graph.State{Call: graph.Established})
		mute := func() (done int) {
			for done < 1000 && bot.post(call, "mute", `{}`).status == 200 {
				done++
			}
			return done
		}
		p.does = func(*graph.Call, string) error { return graph.ErrUnavailable }
		for range 1000 {
			bot.post(call, "mute", `{}`).must(t, 503)
		}
		p.does = func(*graph.Call, string) error { panic("no line") }
		for range 1000 {
			bot.post(call, "mute", `{}`).must(t, 500)
		}
		p.does = nil
		first := mute()
		if pending := call.Stats().Pending; first == 0 || first > 64 || pending > first+2 {
			t.Errorf("%d mutes, %d notifications wait", first, pending)
		}
		asked := len(p.askedFor())
		bot.post(call, "unmute", `{}`).must(t, 429)
		equal(t, "asked of what is refused", len(p.askedFor()), asked)
		close(listens)
		synctest.Wait()
		bot.post(call, "mute", `{}`).must(t, 200)
		synctest.Wait()
		if largest > 2<<10 {
			t.Errorf("lists of participants of %d bytes went in one body", largest)
		}
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		equal(t, "pending", call.Stats().Pending, 0)
	})
}
