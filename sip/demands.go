package sip

import (
	"strings"

	sipgo "github.com/emiago/sipgo/sip"
)

const contentSDP = "application/sdp"

// requires returns the extensions that a request needs and that are not known; empty if there are
// none.
func requires(r *sipgo.Request) string {
	var unknown []string
	for _, h := range r.GetHeaders("Require") {
		for option := range strings.SplitSeq(h.Value(), ",") {
			if option = strings.TrimSpace(option); !strings.EqualFold(option, supported) {
				unknown = append(unknown, option)
			}
		}
	}
	return clip(strings.Join(unknown, ", "))
}

// wrongInBody returns the status, and what belongs to it, that a request is refused with for its
// body, or 0 (RFC 3261, 8.2.3). What is said by the body of a BYE or an OPTIONS is not read, so it
// may be anything.
func wrongInBody(r *sipgo.Request) (status int, missing []sipgo.Header) {
	if len(r.Body()) == 0 || !r.IsInvite() && r.Method != sipgo.INFO {
		return 0, nil
	}
	for _, name := range []string{"Content-Encoding", "e"} { // and its compact form
		for _, h := range r.GetHeaders(name) {
			if !strings.EqualFold(strings.TrimSpace(h.Value()), "identity") {
				return sipgo.StatusUnsupportedMediaType,
					[]sipgo.Header{sipgo.NewHeader("Accept-Encoding", "identity")}
			}
		}
	}
	switch kind := mediaType(contentType(r)); {
	case kind == "":
		return sipgo.StatusBadRequest, nil // RFC 3261, 20.15
	case r.IsInvite() && kind != contentSDP:
		return sipgo.StatusUnsupportedMediaType, []sipgo.Header{accepts(contentSDP)}
	}
	return 0, nil
}

func accepts(kinds string) sipgo.Header { return sipgo.NewHeader("Accept", kinds) }

// contentType returns the value of a request's header; empty if it has none.
func contentType(r *sipgo.Request) string {
	if h := r.ContentType(); h != nil {
		return h.Value()
	}
	return ""
}

// mediaType returns the type that a Content-Type has, in small letters and without parameters.
func mediaType(contentType string) string {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(kind))
}
