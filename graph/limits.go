package graph

import (
	"fmt"
	"time"
	"unicode/utf8"

	"ivrqueue/operation"
	"ivrqueue/webhook"
)

// Limits of what clients send. What is beyond them is refused with 400 or 413 and the member's
// name. Together with [operation.MaxPlayPrompts] and [operation.MaxClientContext] they bound what
// one request can have kept; the options bound how many there are.
const (
	MaxURI = webhook.MaxURI // bytes of a prompt's or a callback's URI

	MaxResourceID      = 256      // bytes of a prompt's resourceId
	MaxSubject         = 1024     // bytes of a call's subject
	MaxTenantID        = 128      // bytes of a call's tenantId
	MaxTargets         = 100      // targets of a call
	MaxCallDescription = 16 << 10 // bytes of source, targets, mediaConfig, chatInfo and meetingInfo
	MaxRinging         = 115      // ringingTimeoutInSeconds, as Graph has it
	MaxDepth           = 64       // levels of a body; a call's targets need six
	MaxValues          = 4096     // members and elements of a body
	MaxInflation       = 32       // times that a gzip body grows, beyond its first 8 KiB
	MaxPath            = 2048     // bytes of a request's path
)

// longest is of all times that are configured.
const longest = 24 * time.Hour

// inflationAllowance is what every gzip body may become, however small it is.
const inflationAllowance = 8 << 10

// checkLength refuses a text of more than limit bytes.
func checkLength(member, text string, limit int) error {
	if len(text) <= limit {
		return nil
	}
	return &operation.FieldError{
		Field: member, Value: fmt.Sprintf("%d bytes", len(text)),
		Limit: fmt.Sprintf("at most %d", limit),
	}
}

// checkCount refuses a list of more than limit elements.
func checkCount(member string, n, limit int) error {
	if n <= limit {
		return nil
	}
	return &operation.FieldError{
		Field: member, Value: fmt.Sprintf("%d elements", n), Limit: fmt.Sprintf("at most %d", limit),
	}
}

// cut shortens a text that a client sent, so that an error does not echo all of it.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}
