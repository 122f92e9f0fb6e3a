package operation

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDetail is how many bytes of a cause a bot gets.
const MaxDetail = 200

// PromptError says which prompt of a request failed. Media puts it around the cause, so that the
// bot learns the prompt; see [Detail].
type PromptError struct {
	Index int   // among the request's prompts, from 0 on
	Err   error // the cause, which holds the [Reason]
}

// Error returns the index and the cause.
func (e *PromptError) Error() string { return fmt.Sprintf("prompts[%d]: %v", e.Index, e.Err) }

// Unwrap returns the cause.
func (e *PromptError) Unwrap() error { return e.Err }

// PublicError is a cause that the bot gets; see [Detail]. All other causes stay on this side of
// the wire.
type PublicError struct {
	Text string // goes on the wire: it names no secret, no address and no file of ours
	Err  error  // the cause of it, for logs, or nil
}

// Error returns the text, and the cause behind it.
func (e *PublicError) Error() string {
	if e.Err == nil {
		return e.Text
	}
	return e.Text + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *PublicError) Unwrap() error { return e.Err }

// Detail returns what of the cause of a failure the bot gets besides its [Reason]: the prompt of
// the first [*PromptError] and the text of the first [*PublicError] in err's tree, as in
// "prompts[2]: answered 404, must be 200". It is empty if there is neither. It looks at the first
// 1,000 errors of the tree, finds nothing where one of their methods panics, and cuts the text to
// [MaxDetail] bytes. It must not be called while holding a lock, since these methods may block.
func Detail(err error) (detail string) {
	defer func() {
		if recover() != nil {
			detail = ""
		}
	}()
	var parts []string
	if p, ok := findIn[*PromptError](err); ok && p != nil {
		parts = append(parts, fmt.Sprintf("prompts[%d]", p.Index))
	}
	if p, ok := findIn[*PublicError](err); ok && p != nil && p.Text != "" {
		parts = append(parts, cut(p.Text))
	}
	return strings.Join(parts, ": ")
}

func cut(text string) string {
	if len(text) <= MaxDetail {
		return text
	}
	end := MaxDetail
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
