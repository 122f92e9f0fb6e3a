package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"ivrqueue/graph"
	"ivrqueue/operation"
	"ivrqueue/sip"
)

// DefaultRinging is how long a telephone rings if the bot says nothing else.
const DefaultRinging = time.Minute

// Statuses that telephones get (RFC 3261, 21).
const (
	forbidden   = 403
	notFound    = 404
	noAnswer    = 480
	busy        = 486
	unavailable = 503
	decline     = 603
)

// pickUp answers a telephone's call, for a request of its bot. It is established when the telephone
// knows, and the bot has its answer: what comes then goes to where that says.
func (c *call) pickUp(ctx context.Context) error {
	err := c.sip.Answer()
	switch {
	case errors.Is(err, sip.ErrCancelled), errors.Is(err, sip.ErrEnded):
		return graph.ErrDetached // its bot is being notified
	case err != nil:
		return fmt.Errorf("service: %w", err)
	}
	c.log.Info("call answered")
	from, _ := ctx.Value(clientKey{}).(client)
	c.service.spawn(func() {
		if from.answered != nil {
			<-from.answered
		}
		close(c.taken)
	})
	return nil
}

// sendAway rejects a telephone's call that was not answered, and notifies its bot of this result.
func (c *call) sendAway(status int, r graph.ResultInfo) {
	if c.sip == nil {
		return
	}
	c.plan(r)
	_ = c.sip.Reject(status) // else the caller has given up
}

func (c *call) plan(r graph.ResultInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.planned = r
}

// statusFor is the response to a telephone whose call the bot rejects.
func statusFor(why graph.RejectReason) int {
	switch why {
	case graph.RejectBusy:
		return busy
	case graph.RejectForbidden:
		return forbidden
	case graph.RejectNone:
	}
	return decline
}

// turnAway rejects a telephone that was not answered in time: then the call is off the wire.
func (c *call) turnAway(g *graph.Call) {
	if g.State().Call == graph.Terminated {
		c.sendAway(noAnswer, unanswered())
	}
}

// redirects returns what is for graph, where telephones can be sent elsewhere.
func (s *Service) redirects() func(context.Context, *graph.Call, graph.Redirection) error {
	if s.options.Phones == nil || s.options.Phones.Trunk == "" {
		return nil
	}
	return s.redirectCall
}

// redirectCall is for graph: the bot has the caller call another number. The caller does that by
// itself, so the call is over.
func (s *Service) redirectCall(_ context.Context, g *graph.Call, to graph.Redirection) error {
	c := s.callOf(g)
	switch {
	case c == nil:
		return graph.ErrDetached
	case c.sip == nil:
		return &graph.Error{
			Status: http.StatusNotImplemented, Code: "notImplemented",
			Message: "Only the calls of telephones can be redirected.",
		}
	}
	number, err := numberIn(to.Targets)
	switch {
	case err != nil:
		return err
	case number == "":
		return &operation.FieldError{
			Field: "targets[0].identity", Value: "no phone", Limit: "a phone with an id",
		}
	}
	c.plan(graph.ConversationEnded())
	_ = g.SetState(graph.State{Call: graph.Redirecting})
	if err := c.sip.Redirect(s.uri(number)); err != nil {
		return graph.ErrDetached // the caller has given up
	}
	c.log.Info("call redirected")
	c.end(nil, graph.ConversationEnded())
	return nil
}

// uri returns that of a number at the trunk.
func (s *Service) uri(number string) string {
	return "sip:" + number + "@" + s.options.Phones.trunk()
}

// numberIn returns the number of the telephone that targets are, or nothing if they are none.
func numberIn(targets json.RawMessage) (string, error) {
	if len(targets) == 0 {
		return "", nil
	}
	var list []struct {
		Identity struct {
			Phone *struct {
				ID string `json:"id"`
			} `json:"phone"`
		} `json:"identity"`
	}
	if err := json.Unmarshal(targets, &list); err != nil {
		return "", &operation.FieldError{
			Field: "targets", Value: "another form", Limit: "a list of invitationParticipantInfo",
		}
	}
	for i, t := range list {
		phone := t.Identity.Phone
		switch {
		case phone == nil:
		case len(list) > 1:
			return "", &operation.FieldError{
				Field: "targets", Value: strconv.Itoa(len(list)), Limit: "1 if it is a phone",
			}
		case !isNumber(phone.ID):
			return "", &operation.FieldError{
				Field: fmt.Sprintf("targets[%d].identity.phone.id", i),
				Value: fmt.Sprintf("%.80q", phone.ID), Limit: "1 to 64 of letters, digits and -_.+",
			}
		default:
			return phone.ID, nil
		}
	}
	return "", nil
}

// dial makes a call to a telephone.
func (s *Service) dial(
	ctx context.Context, number string, attach attach, a graph.Attachment,
) (*graph.Call, error) {
	if s.options.Phones.Trunk == "" {
		return nil, &operation.FieldError{
			Field: "targets[0].identity.phone.id", Value: number, Limit: "none: there is no trunk",
		}
	}
	var c *call
	telephone, err := s.agent.NewCall(ctx, sip.Target{
		To: s.uri(number), From: s.numberOf(a.Application),
		Watch: func(state sip.State) {
			if state == sip.Ringing {
				_ = c.setState(graph.State{Call: graph.Ringing})
			}
		},
	})
	switch {
	case errors.Is(err, sip.ErrUnavailable):
		return nil, graph.ErrUnavailable
	case err != nil:
		return nil, fmt.Errorf("service: %w", err)
	}
	if c, err = s.newCall(ctx, attach, a, telephone); err != nil {
		_ = telephone.HangUp(ctx) // it was not dialed, so that takes no time
		return nil, err
	}
	ringing := time.Duration(a.Resource.RingingTimeoutInSeconds) * time.Second
	if ringing == 0 {
		ringing = DefaultRinging
	}
	s.spawn(func() { c.ringFor(ringing) })
	return c.wire, nil
}

// numberOf returns the first of an application's numbers: what its calls show. Empty: it has none.
func (s *Service) numberOf(application string) (first string) {
	for number, name := range s.options.Phones.Numbers {
		app, _ := s.options.application(name)
		if app.ID == application && (first == "" || number < first) {
			first = number
		}
	}
	return first
}

// ringFor has the telephone ring, and notifies the bot of the call, until it has ended.
func (c *call) ringFor(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	err := c.sip.Dial(ctx)
	cancel()
	if err != nil {
		c.log.Info("call not answered", slog.String("error", shown(err.Error())))
		c.end(nil, resultOfDial(err))
		return
	}
	c.follow()
}

// sayGoodbye hangs up a telephone when the call's media is silent. It is called with the queue
// about to be closed.
func (c *call) sayGoodbye() {
	ctx, cancel := context.WithTimeout(context.Background(), deadlineOfGoodbye)
	defer cancel()
	_ = c.sip.Goodbye(ctx, c.queue)
}

// deadlineOfGoodbye is more than the media takes to fall silent, and a telephone to answer.
const deadlineOfGoodbye = 10 * time.Second
