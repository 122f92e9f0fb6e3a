package graph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// What a client asks of an established call, and the handler hands to the platform.

// RecordingStatus is Graph's recordingStatus.
type RecordingStatus string

// What an application can say of its recording of a call.
const (
	NotRecording    RecordingStatus = "notRecording"
	Recording       RecordingStatus = "recording"
	RecordingFailed RecordingStatus = "failed"
)

// Transfer is whom the other side is to be connected with.
type Transfer struct {
	Target json.RawMessage // invitationParticipantInfo
}

// act has the platform do something, one at a time for a call, on a call that is established.
func (x *request) act(function string, do func() error) error {
	return x.alone(func() error {
		if err := x.call.mustBeEstablished(); err != nil {
			return err
		}
		return named(function, do())
	})
}

// alone waits until the platform does nothing else that was asked of the call.
func (x *request) alone(do func() error) error {
	select {
	case x.call.acting <- struct{}{}:
	case <-x.r.Context().Done(): // the client has gone
		return ErrUnavailable
	}
	defer func() { <-x.call.acting }()
	return do()
}

// mute: https://learn.microsoft.com/graph/api/call-mute.
func (x *request) mute() (*reply, error) { return x.setMuted(true, kindMute) }

// unmute: https://learn.microsoft.com/graph/api/call-unmute.
func (x *request) unmute() (*reply, error) { return x.setMuted(false, kindUnmute) }

func (x *request) setMuted(muted bool, kind operation.Kind) (*reply, error) {
	mute := x.handler.platform.Mute
	if mute == nil {
		return nil, errNotImplemented
	}
	clientContext, err := x.clientContext()
	if err != nil {
		return nil, err
	}
	cost, put := x.call.rosterCost(), false
	if !x.call.reserve(cost) {
		return nil, errTooMuch
	}
	defer func() {
		if !put { // it failed, or panicked, or exited
			x.call.release(cost)
		}
	}()
	err = x.act("Mute", func() error {
		if err := mute(x.r.Context(), x.call, muted); err != nil {
			return err
		}
		put = x.call.setMuted(muted, cost)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return x.done(kind, clientContext), nil
}

// setMuted notes whether the application is muted, and puts the notification of it, for which so
// many bytes are reserved. It returns false if no more are put.
func (c *Call) setMuted(muted bool, cost int64) (put bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.result != nil { // its last notification is put soon, or was
		return false
	}
	c.muted = muted
	return c.notifyRoster(cost)
}

// updateRecordingStatus: https://learn.microsoft.com/graph/api/call-updaterecordingstatus.
func (x *request) updateRecordingStatus() (*reply, error) {
	update := x.handler.platform.UpdateRecordingStatus
	if update == nil {
		return nil, errNotImplemented
	}
	var body struct {
		actionBody

		Status string `json:"status"`
	}
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	if err := operation.ValidateClientContext(body.ClientContext); err != nil {
		return nil, err
	}
	for _, s := range []RecordingStatus{NotRecording, Recording, RecordingFailed} {
		if !strings.EqualFold(string(s), body.Status) {
			continue
		}
		err := x.act("UpdateRecordingStatus", func() error {
			return update(x.r.Context(), x.call, s)
		})
		if err != nil {
			return nil, err
		}
		return x.done(kindUpdateRecordingStatus, body.ClientContext), nil
	}
	return nil, invalid("status", fmt.Sprintf("%.40q", body.Status),
		"notRecording, recording or failed")
}

// transferCall: https://learn.microsoft.com/graph/api/call-transfer.
func (x *request) transferCall() (*reply, error) {
	transfer := x.handler.platform.Transfer
	if transfer == nil {
		return nil, errNotImplemented
	}
	if err := x.application.need(rolesToCall); err != nil {
		return nil, err
	}
	var body struct {
		TransferTarget members `json:"transferTarget"`
	}
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	if body.TransferTarget == nil {
		return nil, invalid("transferTarget", "missing", "an invitationParticipantInfo")
	}
	to := Transfer{Target: body.TransferTarget.shown()}
	if err := checkLength("transferTarget", string(to.Target), MaxCallDescription); err != nil {
		return nil, err
	}
	err := x.act("Transfer", func() error {
		before := x.call.State()
		if err := transfer(x.r.Context(), x.call, to); err != nil {
			return err
		}
		x.call.becomeTransferring(before)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &reply{status: http.StatusAccepted}, nil
}

// becomeTransferring sets the state, if it is the one from before.
func (c *Call) becomeTransferring(before State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.result == nil && c.state == before {
		c.setState(State{Call: Transferring, Audio: before.Audio})
	}
}

type sendTonesBody struct {
	actionBody

	Tones []*string       `json:"tones"`
	Delay json.RawMessage `json:"delayBetweenTonesMs"`
}

func (b *sendTonesBody) request() (*operation.SendTones, error) {
	if err := checkCount("tones", len(b.Tones), operation.MaxSendTones); err != nil {
		return nil, err
	}
	req := &operation.SendTones{Tones: make([]tone.Tone, len(b.Tones))}
	for i, s := range b.Tones {
		var ok bool
		if req.Tones[i], ok = toneOf(s); !ok {
			return nil, invalid(fmt.Sprintf("tones[%d]", i), quoted(s),
				"one of tone0 to tone9, star, pound, a to d, flash")
		}
	}
	ms, _, err := wholeNumber("delayBetweenTonesMs", b.Delay, 0,
		int32(operation.MaxTonePause/time.Millisecond))
	req.Pause = time.Duration(ms) * time.Millisecond
	return req, err
}

// sendTones: https://learn.microsoft.com/graph/api/call-senddtmftones.
func (x *request) sendTones() (*reply, error) {
	if !x.handler.platform.SendsTones {
		return nil, errNotImplemented
	}
	var body sendTonesBody
	if err := x.decode(&body); err != nil {
		return nil, err
	}
	req, err := body.request()
	if err != nil {
		return nil, err
	}
	return x.enqueue(req, body.ClientContext, int64(operationCost+len(req.Tones)))
}
