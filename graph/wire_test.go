package graph_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"ivrqueue/graph"
)

// OData has keys in parentheses too, and some clients write them so.
func TestAKeyMayBeInParentheses(t *testing.T) {
	t.Parallel()
	bot, call, _ := bench(t)
	id := call.ID().String()
	made := bot.request(http.MethodPost, "/v1.0/communications/calls('"+id+"')/playPrompt", playBody).must(t, 200)
	operation := made.text("id")
	for path, want := range map[string]int{
		"/v1.0/communications/calls('" + id + "')":                                  200,
		"/v1.0/communications/calls(" + id + ")":                                    200,
		"/app/Calls('" + id + "')/Operations('" + operation + "')":                  200,
		"/communications/calls/" + id + "/operations('" + operation + "')":          200,
		"/communications/calls(%27" + id + "%27)/operations/" + operation + "":      200,
		"/communications/calls('" + operation + "')":                                404,
		"/communications/calls()":                                                   404,
		"/communications/calls('')":                                                 404,
		"/communications/calls('" + id + "'":                                        404,
		"/communications/calls('..')/playPrompt":                                    404,
		"/communications/calls('" + id + "')('" + operation + "')":                  404,
		"/communications/calls('" + id + "')/operations('" + operation + "')/('7')": 404,
		"/communications/calls/('" + id + "')":                                      404,
	} {
		if got := bot.request(http.MethodGet, path, nil).status; got != want {
			t.Errorf("GET %s: got %d, want %d", path, got, want)
		}
	}
}

// A call that came in, and that its bot could not hang up, is not there for ever: it can be hung up
// again, and ends with the time to decide.
func TestACallThatCouldNotBeHungUpEndsInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, asked, fails := &platform{tb: t}, 0, true
		h, err := graph.New(graph.Platform{
			Authenticate: authenticate, Deliver: new(inbox).Deliver,
			HangUp: func(context.Context, *graph.Call) error {
				if asked++; fails {
					return errors.New("the line is busy")
				}
				return nil
			},
		}, graph.WithLogger(quiet))
		if err != nil {
			t.Fatal(err)
		}
		p.handler = h
		defer p.stop()
		bot, call := p.direct(), p.ring()
		path := "/communications/calls/" + call.ID().String()
		for range 3 {
			bot.request(http.MethodDelete, path, nil).must(t, 500)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		bot.request(http.MethodGet, path, nil).must(t, 404)
		equal(t, "state", call.State().Call, graph.Terminated)
		equal(t, "how often the platform was asked", asked, 4)

		fails = false
		again := p.ring()
		path = "/communications/calls/" + again.ID().String()
		bot.request(http.MethodDelete, path, nil).must(t, 204)
		time.Sleep(time.Minute) // the platform takes its time to detach it
		bot.request(http.MethodGet, path, nil).must(t, 200)
	})
}
