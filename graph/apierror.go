package graph

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ivrqueue/operation"
	"ivrqueue/queue"
)

// apiError is an answer other than success. Its message goes on the wire, so it never holds
// anything that the client did not send or may not know.
type apiError struct {
	status  int
	code    string // Graph's word, or the number of its communications services
	message string
	header  [2]string // one that belongs to the status, or none
}

func (p *apiError) Error() string { return p.message }

// Codes of Graph's communications services, or of Azure Communication Services, which share their
// number space.
const (
	codeForbidden      = "7504" // Graph
	codeNotEstablished = "8501" // ACS
	codeBusy           = "8516" // ACS
	codeCallNotFound   = "8522" // Graph
	codeInvalid        = "8523" // ACS
	codeNotImplemented = "8520" // ACS
	codeWrongState     = "8585" // ACS
	codeInternal       = "9999" // Graph
)

var (
	errCallNotFound = &apiError{
		status: http.StatusNotFound, code: codeCallNotFound, message: "Call not found.",
	}
	errOperationNotFound = &apiError{
		status: http.StatusNotFound, code: "itemNotFound", message: "Operation not found.",
	}
	errNoResource = &apiError{
		status: http.StatusNotFound, code: "ResourceNotFound",
		message: "No resource matches the request URI.",
	}
	errNotEstablished = &apiError{
		status: http.StatusConflict, code: codeNotEstablished,
		message: "Action is invalid when the call is not in Established state.",
	}
	errTooMany = &apiError{
		status: http.StatusTooManyRequests, code: codeBusy,
		message: "The call's operation queue is full.", header: [2]string{"Retry-After", "1"},
	}
	errTooMuch = &apiError{
		status: http.StatusTooManyRequests, code: codeBusy,
		message: "Too much is kept for the call or the application already.",
		header:  [2]string{"Retry-After", "1"},
	}
	errTooManyCalls = &apiError{
		status: http.StatusTooManyRequests, code: codeBusy,
		message: "The application has too many calls.", header: [2]string{"Retry-After", "5"},
	}
	errUnavailable = &apiError{
		status: http.StatusServiceUnavailable, code: "serviceNotAvailable",
		message: "The service is not available.", header: [2]string{"Retry-After", "5"},
	}
	errNotIncoming = &apiError{
		status: http.StatusConflict, code: codeWrongState,
		message: "Action is invalid: the call is not incoming, or was decided on already.",
	}
	errNotImplemented = &apiError{
		status: http.StatusNotImplemented, code: codeNotImplemented,
		message: "Action is not implemented.",
	}
	errParticipantNotFound = &apiError{
		status: http.StatusNotFound, code: "itemNotFound", message: "Participant not found.",
	}
	errKeyReused = &apiError{
		status: http.StatusUnprocessableEntity, code: "idempotencyKeyReused",
		message: "Client-Request-Id is that of a request for another kind of operation.",
	}
	errInternal = &apiError{
		status: http.StatusInternalServerError, code: codeInternal,
		message: "Unknown internal server error.",
	}
)

// tooFast answers an application that has sent more requests than it may.
func tooFast(wait time.Duration) *apiError {
	return &apiError{
		status: http.StatusTooManyRequests, code: "TooManyRequests",
		message: "The application sends too many requests.",
		header:  retryHeader(wait),
	}
}

// retryHeader says when to come again, in whole seconds.
func retryHeader(wait time.Duration) [2]string {
	seconds := (wait + time.Second - 1) / time.Second
	return [2]string{"Retry-After", strconv.Itoa(int(seconds))}
}

// unauthorized answers a request without a good token, as RFC 6750 has it.
func unauthorized(r *http.Request) *apiError {
	p := &apiError{
		status: http.StatusUnauthorized, code: "InvalidAuthenticationToken",
		message: "Access token is missing.", header: [2]string{"WWW-Authenticate", "Bearer"},
	}
	// Who comes with another scheme gets what is wanted, not that it is wrong (3.1).
	bearer := func(s string) bool {
		scheme, _, _ := strings.Cut(strings.TrimSpace(s), " ")
		return strings.EqualFold(scheme, "Bearer")
	}
	if slices.ContainsFunc(r.Header.Values("Authorization"), bearer) {
		p.message = "Access token validation failure."
		p.header[1] = `Bearer error="invalid_token"`
	}
	return p
}

func notAllowed(allow string) *apiError {
	return &apiError{
		status: http.StatusMethodNotAllowed, code: "methodNotAllowed",
		message: "The method is not allowed on this resource.", header: [2]string{"Allow", allow},
	}
}

func malformed(format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: "BadRequest", message: fmt.Sprintf(format, args...),
	}
}

// invalid says which member is wrong, what it is, and what it may be. It echoes no more of what the
// client sent than a reader needs.
func invalid(member, value, limit string) *apiError {
	return &apiError{
		status: http.StatusBadRequest, code: codeInvalid,
		message: fmt.Sprintf("%s is %s, must be %s.", cut(member, 200), cut(value, 300), limit),
	}
}

// problemOf finds the answer to an error of ours, of the queue's or of the platform's. What it does
// not know is an internal error, whose text stays here.
func problemOf(err error) *apiError {
	var p *apiError
	var own *Error
	var field *operation.FieldError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &own):
		return own.onWire()
	case errors.As(err, &field):
		return invalid(memberOf(field.Field), field.Value, field.Limit)
	case errors.Is(err, queue.ErrKeyReused):
		return errKeyReused
	case errors.Is(err, queue.ErrFull):
		return errTooMany
	case errors.Is(err, queue.ErrClosed), errors.Is(err, ErrDetached):
		return errCallNotFound
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrShutDown):
		return errUnavailable
	default:
		return errInternal
	}
}

// memberOf spells a field of a request as Graph does.
func memberOf(field string) string {
	if at, ok := strings.CutSuffix(field, ".uri"); ok && strings.HasPrefix(at, "prompts[") {
		return at + ".mediaInfo.uri"
	}
	return field
}

// errorBody is Graph's error envelope.
type errorBody struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code       string     `json:"code"`
	Message    string     `json:"message"`
	InnerError innerError `json:"innerError"`
}

type innerError struct {
	Date            string `json:"date"`
	RequestID       string `json:"request-id"`
	ClientRequestID string `json:"client-request-id"`
}

// envelope puts the apiError into Graph's form. A client that sent no id of its own gets ours in
// its place, as Graph does.
func (p *apiError) envelope(requestID, clientRequestID string) errorBody {
	return errorBody{errorDetail{p.code, p.message, innerError{
		Date:            time.Now().UTC().Format("2006-01-02T15:04:05"),
		RequestID:       requestID,
		ClientRequestID: clientRequestID,
	}}}
}

// WriteError answers a request to an endpoint of the platform's own, beside the handler's, with an
// error in the form that the handler's have: Graph's envelope, with the date and both ids, which
// are in the headers too. The message goes on the wire. Headers that belong to the status are for
// the caller to set before.
func WriteError(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	x := newRequest(nil, w, r)
	x.write(status, (&apiError{code: code, message: message}).envelope(x.id, x.clientID))
}
