package service

import (
	"errors"

	"ivrqueue/graph"
	"ivrqueue/sip"
)

// How calls with telephones end. Codes are those of the call end table of
// https://learn.microsoft.com/graph/api/call-delete where it has one. For what it has not there is
// the rule of Azure Communication Services, which shares the numbers: the code is the status of
// SIP, and the subcode that status and 560000 for a call that the bot made, 540000 for one that
// came in.
const (
	wentOut = 560000
	cameIn  = 540000
)

// resultOfDial is the result of a call that was not answered, by the error of sip.Call.Dial.
func resultOfDial(err error) graph.ResultInfo {
	status, message := 500, "The call could not be made."
	switch {
	case errors.Is(err, sip.ErrBusy):
		status, message = busy, "The called number was busy."
	case errors.Is(err, sip.ErrDeclined):
		status, message = decline, "Call declined by the recipient."
	case errors.Is(err, sip.ErrNoAnswer):
		status, message = noAnswer, "No answer from the called user."
	case errors.Is(err, sip.ErrNotAcceptable):
		status, message = 488, "The telephone has no audio format in common with the service."
	case errors.Is(err, sip.ErrUnavailable):
		status, message = unavailable, "The service is not available."
	}
	if answered, ok := errors.AsType[*sip.StatusError](err); ok {
		status = answered.Code
	}
	return graph.ResultInfo{Code: status, Subcode: wentOut + status, Message: message}
}

// unanswered is the result of a call that was not decided in time.
func unanswered() graph.ResultInfo {
	return graph.ResultInfo{
		Code: 408, Subcode: 10057, Message: "Call timed out due to no signaling from callee endpoints.",
	}
}

// resultOfEnd is the result of a call that was there, by why it has ended.
func resultOfEnd(why sip.End, incoming bool) graph.ResultInfo {
	base := wentOut
	if incoming {
		base = cameIn
	}
	result := func(status int, message string) graph.ResultInfo {
		return graph.ResultInfo{Code: status, Subcode: base + status, Message: message}
	}
	switch why {
	case sip.PeerHungUp:
		return graph.ResultInfo{Code: 200, Subcode: base, Message: "Call ended by the PSTN User."}
	case sip.Cancelled:
		return result(487, "The caller terminated the call request.")
	case sip.NoAck:
		return graph.ResultInfo{Code: 408, Subcode: 1106, Message: "An acknowledgement was not " +
			"received for the call acceptance in the allotted time."}
	case sip.NoAnswer:
		return unanswered()
	case sip.Expired:
		return result(408, "The telephone has not refreshed the session in time.")
	case sip.Failed:
		return result(500, "The call has failed.")
	case sip.ShutDown:
		return shutDown()
	case sip.HungUp, sip.Rejected:
	}
	return graph.ConversationEnded()
}
