package inspect

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"ivrqueue/operation"
)

// description is what the page shows of a request.
type description struct {
	kind    string
	title   string // what is played, or how much is sent; may be empty
	prompts int
	loop    bool
}

// describe describes a request. Those of the platform's own are asked for their kind alone, which
// is code of others: it may panic.
func describe(r operation.Request) description {
	switch r := r.(type) {
	case *operation.PlayPrompt:
		return description{
			kind: string(operation.KindPlayPrompt), title: promptName(r, r.FirstPrompt),
			prompts: len(r.Prompts), loop: r.Loop,
		}
	case *operation.RecordResponse:
		return description{
			kind: string(operation.KindRecordResponse), title: promptName(r, 0), prompts: len(r.Prompts),
		}
	case *operation.SendTones:
		title := "1 tone"
		if n := len(r.Tones); n != 1 {
			title = fmt.Sprintf("%d tones", n)
		}
		return description{kind: string(operation.KindSendTones), title: title}
	default:
		return description{kind: clip(kindOf(r), maxText)}
	}
}

func kindOf(r operation.Request) (kind string) {
	defer func() {
		if recover() != nil {
			kind = "unknown"
		}
	}()
	return string(r.Kind())
}

// promptName names a prompt of a request by the end of its address: what comes before may be a
// secret, and so may a query. It is empty if there is no such prompt.
func promptName(r operation.Request, i int) string {
	var prompts []operation.Prompt
	switch r := r.(type) {
	case *operation.PlayPrompt:
		prompts = r.Prompts
	case *operation.RecordResponse:
		prompts = r.Prompts
	}
	if i < 0 || i >= len(prompts) {
		return ""
	}
	whole := prompts[i].URI
	uri := whole
	if strings.HasPrefix(uri, "data:") {
		return "data"
	}
	if end := strings.IndexAny(uri, "?#"); end >= 0 {
		uri = uri[:end]
	}
	uri = strings.TrimRight(uri, "/")
	name := clip(uri[strings.LastIndexAny(uri, "/:")+1:], maxText)
	if len(whole) > maxText {
		return strings.Clone(name) // so that the address is not kept with it
	}
	return name
}

// clip returns a text of at most so many bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const ellipsis = "…"
	end := most - len(ellipsis)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + ellipsis
}
