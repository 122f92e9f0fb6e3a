package graph_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
	"ivrqueue/tone"
	"ivrqueue/webhook"
)

type tones = tone.Stream

// lines returns notifications, in short.
func lines(all []object) (lines []string) {
	for _, n := range all {
		words := []any{at(n, "changeType"), at(n, "resourceData", "@odata.type").(string)[len("#microsoft.graph."):]}
		for _, path := range [][]any{{"state"}, {"status"}, {"clientContext"}, {"mediaState", "audio"}, {"toneInfo", "tone"}, {"toneInfo", "sequenceId"}} {
			if v := at(at(n, "resourceData"), path...); v != nil {
				words = append(words, v)
			}
		}
		if info := at(n, "resourceData", "resultInfo"); info != nil {
			words = append(words, fmt.Sprint(at(info, "code"), "/", at(info, "subcode")))
		}
		lines = append(lines, strings.TrimSuffix(fmt.Sprintln(words...), "\n"))
	}
	return lines
}

func TestTheLifeOfACallIsNotifiedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		p.first = graph.State{Call: graph.Establishing}
		bot := p.direct()
		made := bot.request("POST", "/communications/calls", published(t, "call-create.request")).must(t, 201)
		equal(t, "state", made.text("state"), "establishing")
		call := p.last()
		_ = call.SetState(graph.State{Call: graph.Established})
		_ = call.SetState(graph.State{Call: graph.Established, Audio: graph.Active})
		bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		bot.post(call, "playPrompt", `{"clientContext":"one",`+playBody[len(`{"clientContext":"p",`):]).must(t, 200)
		synctest.Wait()
		_, _ = call.tones.Publish(tone.Pound)
		synctest.Wait()
		bot.post(call, "recordResponse", `{"clientContext":"two","bargeInAllowed":true}`).must(t, 200)
		synctest.Wait()
		got := bot.request("GET", "/communications/calls/"+made.text("id"), nil).must(t, 200)
		equal(t, "audio", got.text("mediaState", "audio"), "active")
		bot.request("DELETE", "/communications/calls/"+made.text("id"), nil).must(t, 204)
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{
			"updated call establishing",
			"updated call established",
			"updated call established active",
			"updated call established active pound 1",
			"deleted playPromptOperation failed one 400/8508",
			"updated call terminating active",
			"deleted recordOperation failed two 400/8528",
			"deleted call terminated 200/5001",
		})
	})
}

func TestAnIncomingCallIsNotifiedAsCreated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		call, err := p.add(p.handler.Attach, new(queuetest.Media), graph.Attachment{
			Application: tokens["bot"].ID, State: graph.State{Call: graph.Incoming}, Resource: graph.Resource{Direction: "incoming"},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := p.direct().request("GET", "/communications/calls/"+call.ID().String(), nil).must(t, 200)
		equal(t, "direction", got.text("direction"), "incoming")
		_ = call.SetState(graph.State{Call: graph.Established})
		_ = call.Detach(graph.ResultInfo{Code: 480, Subcode: 10037, Message: "No answer."})
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{
			"created call incoming", "updated call established", "deleted call terminated 480/10037",
		})
	})
}

// The caller hangs up in the middle of a record: what was recorded so far is delivered with the record's
// end, then the call's, once each, in this order, even though the media takes its time.
func TestAHangUpDuringARecordDeliversWhatWasRecorded(t *testing.T) {
	t.Parallel()
	part := operation.Recording{Location: "https://media.example/r/1", AccessToken: "t"}
	for _, test := range []struct {
		name  string
		stop  func(queue.Task)
		want  operation.Recording
		cause error
		code  string
	}{
		{"reported", func(t queue.Task) { t.End(operation.Result{Recording: part}) }, part, nil, "400/8528"},
		{"reported late", func(t queue.Task) {
			go func() { time.Sleep(4 * time.Second); t.End(operation.Result{Recording: part}) }()
		}, part, nil, "400/8528"},
		{"nothing recorded", func(t queue.Task) { t.Fail(errors.New("x")) }, operation.Recording{}, nil, "400/8528"},
		{"never reported", func(queue.Task) {}, operation.Recording{}, nil, "400/8528"},
		{"service shut down", func(t queue.Task) { t.End(operation.Result{Recording: part}) }, part, operation.ShutDown, "500/8572"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				box := new(inbox)
				p := newPlatform(t, box.Deliver)
				call, err := p.add(p.handler.Attach, &queuetest.Media{OnStop: test.stop}, graph.Attachment{
					Application: tokens["bot"].ID, State: graph.State{Call: graph.Established},
				})
				if err != nil {
					t.Fatal(err)
				}
				bot := p.direct()
				bot.post(call, "recordResponse", `{"clientContext":"one"}`).must(t, 200)
				bot.post(call, "recordResponse", `{"clientContext":"two"}`).must(t, 200)
				synctest.Wait()
				if test.cause != nil {
					call.Queue().Close(test.cause)
				}
				_ = call.Detach(graph.ResultInfo{})
				time.Sleep(10 * time.Second)
				synctest.Wait()
				equal(t, "notifications", lines(box.all()), []string{
					"updated call established", "deleted recordOperation failed one " + test.code,
					"deleted recordOperation failed two " + test.code, "deleted call terminated 200/5001",
				})
				record := at(box.all()[1], "resourceData")
				equal(t, "recording", []any{at(record, "recordingLocation"), at(record, "recordingAccessToken")},
					[]any{test.want.Location, test.want.AccessToken})
			})
		})
	}
}

// A cancelled record has no recording on the wire, whatever the media has kept.
func TestACancelledRecordHasNoRecording(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		part := operation.Result{Recording: operation.Recording{Location: "https://media.example/r/1", AccessToken: "t"}}
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot := p.direct()
		call, err := p.add(p.handler.Attach, &queuetest.Media{OnStop: func(t queue.Task) { t.End(part) }}, graph.Attachment{
			Application: tokens["bot"].ID, State: graph.State{Call: graph.Established},
		})
		if err != nil {
			t.Fatal(err)
		}
		bot.post(call, "recordResponse", recordBody).must(t, 200)
		synctest.Wait()
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		bot.post(call, "recordResponse", recordBody).must(t, 200)
		synctest.Wait()
		part.Reason = operation.Cancelled
		call.media.Current().End(part) // by the media's own will
		synctest.Wait()
		for _, n := range box.all()[1:] {
			equal(t, "recording", []any{at(n, "resourceData", "recordingLocation"), at(n, "resourceData", "recordingAccessToken")}, []any{"", ""})
		}
		equal(t, "notifications", len(box.all()), 3)
	})
}

// Tones are delivered from the subscription on, in order, each once however often the bot subscribed,
// and whatever is cancelled.
func TestTonesAreNotifiedOnceFromTheSubscriptionOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		_, _ = call.tones.Publish(tone.Tone1) // nobody has asked for it
		bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		synctest.Wait()
		for i := range 100 {
			_, _ = call.tones.Publish(tone.Tone0 + tone.Tone(i%10))
			switch i % 10 {
			case 3:
				bot.post(call, "subscribeToTone", `{}`).must(t, 200)
			case 5:
				bot.post(call, "playPrompt", playBody).must(t, 200)
				bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
			}
		}
		_ = call.Detach(graph.ResultInfo{})
		synctest.Wait()
		next := 2.0
		for _, n := range box.all() {
			if id, ok := at(n, "resourceData", "toneInfo", "sequenceId").(float64); ok {
				equal(t, "sequenceId", id, next)
				next++
			}
		}
		equal(t, "the last", next, 102.0)
		told := lines(box.all())
		equal(t, "the very last", told[len(told)-1], "deleted call terminated 200/5001")
		equal(t, "tones after the end", bot.post(call, "subscribeToTone", `{}`).status, 404)
	})
}

// Cancel and hang-up race, from all sides: everything is delivered once, and terminated comes last.
func TestCancelAndHangUpRacing(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver)
	bot := p.direct()
	for round := range 200 {
		call := p.attach("bot", "")
		path := "/communications/calls/" + call.ID().String()
		var mu sync.Mutex
		accepted := map[string]bool{}
		var all sync.WaitGroup
		for _, do := range []func(){
			func() {
				for range 4 {
					if r := bot.post(call, "recordResponse", recordBody); r.status == 200 {
						mu.Lock()
						accepted[r.text("id")] = true
						mu.Unlock()
					} else if r.status != 404 {
						t.Errorf("got %d: %s", r.status, show(r.body))
					}
				}
			},
			func() {
				if r := bot.post(call, "cancelMediaProcessing", `{}`); r.status != 200 && r.status != 404 {
					t.Errorf("cancel: got %d: %s", r.status, show(r.body))
				}
			},
			func() {
				if r := bot.request("DELETE", path, nil); r.status != 204 && r.status != 404 {
					t.Errorf("hang up: got %d: %s", r.status, show(r.body))
				}
			},
			func() {
				if round%2 == 0 {
					_ = call.Detach(graph.ResultInfo{})
				}
			},
		} {
			all.Go(do)
		}
		all.Wait()
		_ = call.Detach(graph.ResultInfo{})
		mine := box.waitFor(t, "terminated", func(all []object) bool {
			return len(all) > 0 && at(all[len(all)-1], "resourceData", "state") == "terminated"
		})
		told := ends(mine)
		for id := range accepted {
			if told[id] != 1 {
				t.Fatalf("the end of an operation was told %d times", told[id])
			}
		}
		equal(t, "operations told", len(told), len(accepted))
		if t.Failed() {
			return
		}
		box.forget()
	}
}

// The platform is asked to hang up once, however often clients ask, and again only if it failed.
func TestThePlatformIsAskedToHangUpOnce(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	asked := 0
	answers := []error{errors.New("x"), nil, nil}
	h, err := graph.New(graph.Platform{
		Authenticate: authenticate, Deliver: box.Deliver,
		HangUp: func(context.Context, *graph.Call) error {
			asked++
			return answers[asked-1]
		},
	}, graph.WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{handler: h, tb: t}
	t.Cleanup(p.stop)
	bot, call := p.direct(), p.attach("bot", "")
	path := "/communications/calls/" + call.ID().String()
	var got []int
	for range 4 {
		got = append(got, bot.request("DELETE", path, nil).status)
	}
	equal(t, "answers", got, []int{500, 204, 204, 204})
	equal(t, "asked", asked, 2)
}

// A call id is a name that a platform chose: two queues may have the same. What happens in one of
// them gets events of its own call, and of none if it is not attached.
func TestQueuesWithTheSameCallIDAreNotMixedUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		told := map[string][]object{} // by application
		var mu sync.Mutex
		p := newPlatform(t, func(_ context.Context, d webhook.Delivery) error {
			var box inbox
			err := box.take(d.Body)
			mu.Lock()
			defer mu.Unlock()
			told[d.Application] = append(told[d.Application], box.all()...)
			return err
		})
		made := func() *queue.Queue {
			q, err := queue.New("same", new(queuetest.Media), queue.WithObserver(p.handler))
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		first, second, stray := made(), made(), made()
		for application, q := range map[string]*queue.Queue{"a": first, "b": second} {
			c, err := p.handler.Attach(graph.Attachment{Queue: q, Tones: new(tones), Application: application, State: graph.State{Call: graph.Established}})
			if err != nil {
				t.Fatal(err)
			}
			p.calls = append(p.calls, &phone{Call: c})
		}
		if _, err := p.handler.Attach(graph.Attachment{Queue: first, Tones: new(tones), Application: "c"}); !errors.Is(err, graph.ErrAttached) {
			t.Errorf("one queue twice: got %v, want ErrAttached", err)
		}
		for name, q := range map[string]*queue.Queue{"first": first, "second": second, "stray": stray} {
			_, err := q.Enqueue(t.Context(), &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "x"}}}, queue.ClientContext(name))
			if err != nil {
				t.Fatal(err)
			}
			q.CancelAll()
		}
		stray.Close(nil)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		equal(t, "told of the first", lines(told["a"]), []string{"updated call established", "deleted playPromptOperation failed first 400/8508"})
		equal(t, "told of the second", lines(told["b"]), []string{"updated call established", "deleted playPromptOperation failed second 400/8508"})
		equal(t, "told of all", len(told), 2)
	})
}
