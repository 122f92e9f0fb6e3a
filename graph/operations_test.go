package graph_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/queue"
	"ivrqueue/queue/queuetest"
)

// list returns what GET operations shows, as kind and status.
func list(tb testing.TB, bot *client, call *phone) (lines []string) {
	tb.Helper()
	r := bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations", nil).must(tb, 200)
	all, _ := at(r.body, "value").([]any)
	for _, op := range all {
		kind, _ := at(op, "@odata.type").(string)
		status, _ := at(op, "status").(string)
		lines = append(lines, kind[len("#microsoft.graph."):]+" "+status)
	}
	return lines
}

func equal(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if show(got) != show(want) {
		tb.Errorf("%s: got %s, want %s", what, show(got), show(want))
	}
}

func TestOperationsAreListedInOrderWithTheirStates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		first := bot.post(call, "playPrompt", playBody).must(t, 200)
		bot.post(call, "recordResponse", recordBody).must(t, 200)
		synctest.Wait()
		call.media.Current().End(succeeded())
		bot.post(call, "playPrompt", playBody).must(t, 200)
		synctest.Wait()
		equal(t, "operations", list(t, bot, call), []string{
			"playPromptOperation completed", "recordOperation running", "playPromptOperation notStarted",
		})
		bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		equal(t, "after a cancel", list(t, bot, call), []string{
			"playPromptOperation completed", "recordOperation failed", "playPromptOperation failed",
			"subscribeToToneOperation completed", "cancelMediaProcessingOperation completed",
		})

		got := bot.request("GET", "/app/calls/"+dashless(call.ID().String())+"/operations/"+dashless(first.text("id")), nil).must(t, 200)
		equal(t, "one operation", got.body, object{
			"@odata.type": "#microsoft.graph.playPromptOperation", "id": first.text("id"), "clientContext": "p", "status": "completed",
			"resultInfo":       object{"@odata.type": "#microsoft.graph.resultInfo", "code": 200, "subcode": 0, "message": "Action completed successfully."},
			"completionReason": "completedSuccessfully",
		})
	})
}

// A cancel when there is nothing to cancel is a success, and there is no notification of it.
func TestACancelOfAnEmptyQueueIsASuccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		got := bot.post(call, "cancelMediaProcessing", `{"clientContext":"c"}`).must(t, 200)
		equal(t, "answer", []string{got.text("status"), got.text("clientContext")}, []string{"completed", "c"})
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{"updated call established"})
		equal(t, "operations", list(t, bot, call), []string{"cancelMediaProcessingOperation completed"})
		bot.post(call, "playPrompt", playBody).must(t, 200) // is not cancelled by it
		equal(t, "operations", list(t, bot, call)[1:], []string{"playPromptOperation running"})
	})
}

// An ETag changes with the operation, and is the notification's.
func TestTheETagChangesWithTheResource(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot, call := p.direct(), p.attach("bot", "")
		path := "/communications/calls/" + call.ID().String()
		bot.post(call, "playPrompt", playBody).must(t, 200)
		id := bot.post(call, "playPrompt", playBody).must(t, 200).text("id")
		seen := map[string]bool{}
		next := func(path string) string {
			tag := bot.request("GET", path, nil).must(t, 200).header.Get("Etag")
			if tag == "" || seen[path+tag] {
				t.Errorf("%s: etag %q, seen %v", path, tag, seen)
			}
			seen[path+tag] = true
			return tag
		}
		next(path + "/operations/" + id)
		synctest.Wait()
		call.media.Current().End(succeeded())
		next(path + "/operations/" + id)
		synctest.Wait()
		call.media.Current().End(succeeded())
		synctest.Wait()
		equal(t, "etag told", at(box.all()[2], "resourceData", "@odata.etag"), next(path+"/operations/"+id))

		equal(t, "etag told", at(box.all()[0], "resourceData", "@odata.etag"), next(path))
		_ = call.SetState(graph.State{Call: graph.Hold})
		_ = call.SetState(graph.State{Call: graph.Hold}) // nothing new
		synctest.Wait()
		equal(t, "etag told", at(box.all()[3], "resourceData", "@odata.etag"), next(path))
		equal(t, "notifications", len(box.all()), 4)
	})
}

// Ended operations can be read for a time, and up to a number, of a call and in all.
func TestEndedOperationsAreKeptForATimeAndUpToANumber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithRetention(time.Minute, 3), graph.WithMaxRetained(4, 4))
		bot, call, other := p.direct(), p.attach("bot", ""), p.attach("bot", "")
		looping := bot.post(call, "playPrompt", playBody).must(t, 200)
		for range 5 {
			bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		}
		equal(t, "of one call", len(list(t, bot, call)), 1+3) // what lives is always there
		for range 3 {
			bot.post(other, "subscribeToTone", `{}`).must(t, 200)
		}
		equal(t, "of all, the oldest first", []int{len(list(t, bot, call)), len(list(t, bot, other))}, []int{1 + 1, 3})

		time.Sleep(time.Minute)
		equal(t, "after their time", len(list(t, bot, call)), 1)
		path := "/communications/calls/" + call.ID().String() + "/operations/" + looping.text("id")
		bot.request("GET", path, nil).must(t, 200)
		call.media.Current().End(succeeded())
		synctest.Wait()
		time.Sleep(time.Minute - 1)
		bot.request("GET", path, nil).must(t, 200)
		time.Sleep(time.Nanosecond)
		bot.request("GET", path, nil).must(t, 404)
	})
}

// Very many whose time is over are not removed at once, since all calls would wait, and not shown.
func TestExpiredOperationsAreNotShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const many = 2500
		p := newPlatform(t, new(inbox).Deliver, graph.WithRetention(time.Minute, many))
		bot, call := p.direct(), p.attach("bot", "")
		var last string
		for range many {
			last = bot.post(call, "subscribeToTone", `{}`).must(t, 200).text("id")
		}
		time.Sleep(time.Minute)
		equal(t, "shown", len(list(t, bot, call)), 0)
		equal(t, "left", p.handler.Kept(), many-1000)
		bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations/"+last, nil).must(t, 404)
		bot.post(call, "subscribeToTone", `{}`).must(t, 200)
		equal(t, "left", p.handler.Kept(), 1)
	})
}

// An operation can be read from the moment its request is answered, and when it has ended meanwhile.
func TestAnOperationCanBeReadFromItsAnswerOn(t *testing.T) {
	t.Parallel()
	box := new(inbox)
	p := newPlatform(t, box.Deliver, graph.WithRetention(time.Hour, 100_000))
	bot := p.direct()
	call, err := p.add(p.handler.Attach, &queuetest.Media{OnStart: func(t queue.Task) error { t.End(succeeded()); return nil }},
		graph.Attachment{Application: tokens["bot"].ID, State: graph.State{Call: graph.Established}}, queue.WithInlineMedia())
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		made := bot.post(call, "playPrompt", playBody).must(t, 200)
		if s := made.text("status"); s != "running" {
			t.Fatalf("status %q: its end is yet to be told", s)
		}
		got := bot.request("GET", "/communications/calls/"+call.ID().String()+"/operations/"+made.text("id"), nil)
		if got.status != 200 || got.text("status") != "completed" {
			t.Fatalf("got %d: %s", got.status, show(got.body))
		}
	}
	if got := ends(box.wait(t, 1+2000)); len(got) != 2000 {
		t.Errorf("the ends of %d operations were told, want 2000", len(got))
	}
}

// A list is one instant: it never shows a cancel half done.
func TestAListNeverShowsHalfACancel(t *testing.T) {
	t.Parallel()
	const depth = 64
	box := new(inbox)
	p := newPlatform(t, box.Deliver, graph.WithRetention(time.Hour, depth))
	bot, call := p.direct(), p.attach("bot", "", queue.WithMaxPending(0)) // readers may starve its observer
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				live := false
				for _, line := range list(t, bot, call) {
					switch line {
					case "playPromptOperation running", "playPromptOperation notStarted":
						live = true
					case "playPromptOperation failed":
						if live {
							t.Error("an operation lives that was accepted before one that a cancel has ended")
							return
						}
					}
				}
			}
		})
	}
	for range 100 {
		for range depth {
			bot.post(call, "playPrompt", playBody).must(t, 200)
		}
		call.Queue().CancelAll()
	}
	close(stop)
	readers.Wait()
}

// What the platform enqueues itself is on the wire as well, also what it did before it attached.
func TestThePlatformsOwnOperationsAreOnTheWire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		bot := p.direct()
		media := new(queuetest.Media)
		q, err := queue.New("before", media, queue.WithObserver(p.handler))
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, req := range []operation.Request{&operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "a"}}}, pause{}} {
			op, err := q.Enqueue(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, op.ID().String())
		}
		call := &phone{media: media}
		if call.Call, err = p.handler.Attach(graph.Attachment{
			Queue: q, Tones: new(tones), Application: tokens["bot"].ID, State: graph.State{Call: graph.Established},
		}); err != nil {
			t.Fatal(err)
		}
		p.calls = append(p.calls, call)
		equal(t, "operations", list(t, bot, call), []string{"playPromptOperation running", "commsOperation notStarted"})
		bot.post(call, "cancelMediaProcessing", `{}`).must(t, 200)
		synctest.Wait()
		got := box.all()
		equal(t, "notifications", []any{at(got[1], "resourceData", "id"), at(got[2], "resourceData", "id")}, []any{ids[0], ids[1]})
		equal(t, "kind of its own", []any{at(got[2], "resourceData", "@odata.type"), at(got[2], "resourceData", "completionReason")},
			[]any{"#microsoft.graph.commsOperation", nil})
	})
}

// What had ended before the call was attached is not the bot's to hear of, even if the queue reports
// it later.
func TestWhatEndedBeforeTheAttachmentIsNotNotified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver)
		gate := make(chan struct{})
		q, err := queue.New("behind", new(queuetest.Media), queue.WithObserver(p.handler),
			queue.WithObserver(queue.ObserverFunc(func(e queue.Event) {
				if e.Kind == queue.Started {
					<-gate
				}
			})))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Enqueue(t.Context(), &operation.PlayPrompt{Prompts: []operation.Prompt{{URI: "a"}}}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		q.CancelAll()
		call := new(phone)
		if call.Call, err = p.handler.Attach(graph.Attachment{Queue: q, Tones: new(tones), Application: "a"}); err != nil {
			t.Fatal(err)
		}
		p.calls = append(p.calls, call)
		close(gate)
		synctest.Wait()
		equal(t, "notifications", lines(box.all()), []string{"updated call establishing"})
	})
}

// An operation that has left the history before its request was answered does not come back to it.
func TestAnOperationThatIsNotKeptIsNotListed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		box := new(inbox)
		p := newPlatform(t, box.Deliver, graph.WithRetention(time.Hour, 0))
		bot := p.direct()
		q, err := queue.New("quick", &queuetest.Media{OnStart: func(t queue.Task) error { t.End(succeeded()); return nil }},
			queue.WithInlineMedia(), queue.WithInlineObserver(p.handler))
		if err != nil {
			t.Fatal(err)
		}
		call := new(phone)
		if call.Call, err = p.handler.Attach(graph.Attachment{
			Queue: q, Tones: new(tones), Application: tokens["bot"].ID, State: graph.State{Call: graph.Established},
		}); err != nil {
			t.Fatal(err)
		}
		p.calls = append(p.calls, call)
		bot.post(call, "playPrompt", playBody).must(t, 200)
		synctest.Wait()
		equal(t, "operations", len(list(t, bot, call)), 0)
		equal(t, "notifications", len(box.all()), 2)
	})
}

// pause is a kind of the platform's own.
type pause struct{}

func (pause) Kind() operation.Kind { return "pause" }
func (pause) Validate() error      { return nil }
