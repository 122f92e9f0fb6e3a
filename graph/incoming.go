package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Answer is how an application answers an incoming call.
type Answer struct {
	AcceptedModalities []string        // such as audio
	MediaConfig        json.RawMessage // serviceHostedMediaConfig, as the call shows it from now on
}

// RejectReason is Graph's rejectReason.
type RejectReason string

// Why an incoming call is rejected.
const (
	RejectNone      RejectReason = "none"
	RejectBusy      RejectReason = "busy"
	RejectForbidden RejectReason = "forbidden"
)

// Redirection is whom an incoming call is for instead.
type Redirection struct {
	Targets json.RawMessage // a list of 1 to 25 invitationParticipantInfo, who ring at once
	Timeout time.Duration   // for one of them to answer: 15 s to 90 s
}

// Limits of a redirection, by its page (https://learn.microsoft.com/graph/api/call-redirect).
const (
	MaxRedirectTargets    = 25
	MinRedirectTimeout    = 15 // s
	MaxRedirectTimeout    = 90 // s
	redirectTimeout       = 55 // s; for one target
	redirectTimeoutOfMany = 60 // s
)

// incoming is what becomes of a call that comes in; guarded by the call's mu.
type incoming struct {
	timer       *time.Timer // of the time to decide
	decided     bool        // a request, or the time, has the decision
	overdue     bool        // the time was over while a request had the decision
	callback    string      // for later notifications; empty: as attached
	mediaConfig json.RawMessage
}

func (i *incoming) stop() {
	if i.timer != nil {
		i.timer.Stop()
		i.timer = nil
	}
}

// callback is where the call's application is notified.
func (c *Call) callback() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.incoming.callback != "" {
		return c.incoming.callback
	}
	return c.given.CallbackURI
}

func (c *Call) mediaConfig() json.RawMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.incoming.mediaConfig != nil {
		return c.incoming.mediaConfig
	}
	return c.given.Resource.MediaConfig
}

// decide takes the decision on an incoming call, if it is open.
func (c *Call) decide() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.result != nil:
		return ErrDetached
	case c.state.Call != Incoming || c.incoming.decided:
		return errNotIncoming
	}
	c.incoming.decided = true
	return nil
}

// undecide opens the decision again: nothing has come of it. If the time is over, that decides.
func (c *Call) undecide() {
	c.mu.Lock()
	c.incoming.decided = false
	overdue := c.incoming.overdue
	c.mu.Unlock()
	if overdue {
		c.expire()
	}
}

// expire ends a call that was not decided in time.
func (c *Call) expire() {
	c.mu.Lock()
	if c.incoming.decided {
		c.incoming.overdue = true
	}
	waits := c.state.Call == Incoming || c.state.Call == Terminating && !c.hangUp // which has failed
	open := c.result == nil && waits && !c.incoming.decided
	if !open {
		c.mu.Unlock()
		return
	}
	c.incoming.decided, c.hangUp = true, true // so no client has it hung up besides
	c.mu.Unlock()
	// By the call end table of https://learn.microsoft.com/graph/api/call-delete.
	_ = c.Detach(ResultInfo{
		Code: 408, Subcode: 10057, Message: "Call timed out due to no signaling from callee endpoints.",
	})
	if c.handler.platform.HangUp == nil {
		return
	}
	_ = c.handler.guard("HangUp", c.given.ID, func() error { // it is detached, so no client can retry
		return c.handler.platform.HangUp(c.handler.deliveries, c)
	})
}

// decision has the platform do what a client decided on an incoming call. Nothing has happened if
// it fails. callback, if it is not empty, is where later notifications go. done is called, with
// c.mu held, when it has succeeded; the call may be detached by then.
func (x *request) decision(
	callback string, do func(ctx context.Context, c *Call) error, done func(c *Call) error,
) (*reply, error) {
	if callback != "" {
		if err := x.handler.checkCallback(callback); err != nil {
			return nil, err
		}
	}
	c := x.call
	if err := c.decide(); err != nil {
		return nil, err
	}
	succeeded := false
	defer func() {
		if !succeeded { // or panicked, or exited
			c.undecide()
		}
	}()
	if err := x.alone(func() error { return do(x.r.Context(), c) }); err != nil {
		return nil, err
	}
	succeeded = true
	if callback != "" {
		defer x.awaitKept() // without c.mu
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if callback != "" {
		c.incoming.callback = callback
		c.debt.described()
	}
	if err := done(c); err != nil {
		return nil, err
	}
	return &reply{status: http.StatusAccepted}, nil
}

type answerBody struct {
	CallbackURI        string    `json:"callbackUri"`
	AcceptedModalities []*string `json:"acceptedModalities"`
	MediaConfig        members   `json:"mediaConfig"`
}

// answerCall: https://learn.microsoft.com/graph/api/call-answer.
func (x *request) answerCall() (*reply, error) {
	answer := x.handler.platform.Answer
	if answer == nil {
		return nil, errNotImplemented
	}
	var body answerBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	var a Answer
	var err error
	a.AcceptedModalities, err = modalitiesOf("acceptedModalities", body.AcceptedModalities)
	if err != nil {
		return nil, err
	}
	if a.MediaConfig, err = mediaConfigOf(body.MediaConfig); err != nil {
		return nil, err
	}
	if err := checkLength("mediaConfig", string(a.MediaConfig), MaxCallDescription); err != nil {
		return nil, err
	}
	return x.decision(body.CallbackURI, func(ctx context.Context, c *Call) error {
		return named("Answer", answer(ctx, c, a))
	}, func(c *Call) error {
		if c.result != nil { // the caller has hung up meanwhile
			return ErrDetached
		}
		c.incoming.mediaConfig = a.MediaConfig
		if c.state.Call == Incoming {
			c.setState(State{Call: Establishing})
		}
		return nil
	})
}

type rejectBody struct {
	Reason      string `json:"reason"`
	CallbackURI string `json:"callbackUri"`
}

// rejectCall: https://learn.microsoft.com/graph/api/call-reject.
func (x *request) rejectCall() (*reply, error) {
	reject := x.handler.platform.Reject
	if reject == nil {
		return nil, errNotImplemented
	}
	var body rejectBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	why := RejectReason(strings.ToLower(body.Reason))
	switch why {
	case "":
		why = RejectNone
	case RejectNone, RejectBusy, RejectForbidden:
	default:
		return nil, invalid("reason", fmt.Sprintf("%.40q", body.Reason), "none, busy or forbidden")
	}
	rep, err := x.decision(body.CallbackURI, func(ctx context.Context, c *Call) error {
		return named("Reject", reject(ctx, c, why))
	}, func(*Call) error { return nil })
	if err == nil {
		_ = x.call.Detach(ResultInfo{
			Code: 200, Subcode: 10550, Message: "The conversation has ended by bot.",
		})
	}
	return rep, err
}

type redirectBody struct {
	Targets     []members       `json:"targets"`
	Timeout     json.RawMessage `json:"timeout"`
	CallbackURI string          `json:"callbackUri"`
}

// redirectCall: https://learn.microsoft.com/graph/api/call-redirect.
func (x *request) redirectCall() (*reply, error) {
	redirect := x.handler.platform.Redirect
	if redirect == nil {
		return nil, errNotImplemented
	}
	if err := x.application.need(rolesToCall); err != nil {
		return nil, err
	}
	var body redirectBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	if len(body.Targets) == 0 {
		return nil, invalid("targets", "empty", "invitationParticipantInfo")
	}
	if err := checkCount("targets", len(body.Targets), MaxRedirectTargets); err != nil {
		return nil, err
	}
	targets, err := targetsOf(body.Targets)
	if err != nil {
		return nil, err
	}
	if err := checkLength("targets", string(targets), MaxCallDescription); err != nil {
		return nil, err
	}
	seconds, given, err := wholeNumber("timeout", body.Timeout, MinRedirectTimeout, MaxRedirectTimeout)
	switch {
	case err != nil:
		return nil, err
	case given:
	case len(body.Targets) > 1:
		seconds = redirectTimeoutOfMany
	default:
		seconds = redirectTimeout
	}
	to := Redirection{Targets: targets, Timeout: time.Duration(seconds) * time.Second}
	return x.decision(body.CallbackURI, func(ctx context.Context, c *Call) error {
		return named("Redirect", redirect(ctx, c, to))
	}, func(c *Call) error {
		if c.result == nil && c.state.Call == Incoming {
			c.setState(State{Call: Redirecting})
		}
		return nil
	})
}

// named says which of the platform's functions an error is of.
func named(function string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", function, err)
	}
	return nil
}
