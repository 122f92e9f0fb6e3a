package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

// byteOrderMark may stand before a JSON text (RFC 8259, 8.1).
var byteOrderMark = []byte("\xef\xbb\xbf")

// decode reads the body, a JSON object, into v. Members that v does not know are ignored, null is
// as absent, and of a member that comes twice the last one counts, whole, as clients and their
// servers have grown used to.
func (x *request) decode(v any) error {
	data, err := x.text()
	if err != nil {
		return err
	}
	return unmarshal(data, v)
}

// text reads the body, a JSON object, with each member once.
func (x *request) text() ([]byte, error) {
	data, err := x.body()
	if err != nil {
		return nil, err
	}
	return textOf(data)
}

// ReadObject reads a JSON object into v, as encoding/json does and in the way in which the handler
// reads the bodies of requests: for endpoints of the platform's own, beside the handler's. The text
// is UTF-8, where a byte order mark is ignored, and all strings in it are Unicode; of a member that
// comes twice the last one counts, whole; and it has at most [MaxDepth] levels and [MaxValues]
// members and elements. How many bytes it may have is for the caller to see to. The error says
// which member is wrong, and its text may go on the wire: see [WriteError].
func ReadObject(data []byte, v any) error {
	text, err := textOf(data)
	if err != nil {
		return err
	}
	return unmarshal(text, v)
}

// textOf returns the text of a JSON object, with each member once.
func textOf(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if err := checkShape(data); err != nil {
		return nil, err
	}
	if !json.Valid(data) {
		return nil, badJSON(data, json.Unmarshal(data, new(json.RawMessage)))
	}
	return readJSON(data)
}

// unmarshal reads a JSON object into v.
func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return badJSON(data, err)
	}
	return nil
}

// body reads the body, and inflates it, up to the limits.
func (x *request) body() ([]byte, error) {
	unsupported := func(format string, args ...any) *apiError {
		return &apiError{
			status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType",
			message: fmt.Sprintf(format, args...), header: [2]string{"Accept-Encoding", "gzip"},
		}
	}
	contentType := x.r.Header.Get("Content-Type")
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "application/json" {
		return nil, unsupported("Content-Type is %.80q, must be application/json.", contentType)
	}
	// JSON has one encoding (RFC 8259, 8.1), and no such parameter. Clients that name it are right.
	switch charset := parameters["charset"]; strings.ToLower(charset) {
	case "", "utf-8", "utf8":
	default:
		return nil, unsupported("The charset of Content-Type is %.80q, must be utf-8.", charset)
	}
	coding := x.r.Header.Get("Content-Encoding")
	zipped := false
	switch strings.ToLower(coding) {
	case "", "identity":
	case "gzip", "x-gzip":
		zipped = true
	default:
		return nil, unsupported("Content-Encoding is %.80q, must be gzip or none.", coding)
	}
	data, err := io.ReadAll(http.MaxBytesReader(x.w, x.r.Body, x.handler.config.maxBody))
	if err != nil {
		return nil, x.unreadable(err)
	}
	if zipped {
		return x.inflate(data)
	}
	return data, nil
}

// inflate unpacks a gzip body. What it becomes is bounded by what came over the wire too: a client
// that sends little has little done.
func (x *request) inflate(data []byte) ([]byte, error) {
	in, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, x.unreadable(err)
	}
	limit := x.handler.config.maxBody
	grown := inflationAllowance + MaxInflation*int64(len(data))
	inflated, err := io.ReadAll(io.LimitReader(in, min(limit, grown)+1))
	switch {
	case err != nil:
		return nil, x.unreadable(err)
	case int64(len(inflated)) > limit:
		return nil, x.tooLarge()
	case int64(len(inflated)) > grown:
		return nil, tooLarge("The body grows too much, must be at most %d times its %d bytes and 8 KiB.",
			MaxInflation, len(data))
	}
	return inflated, nil
}

func (x *request) tooLarge() *apiError {
	return tooLarge("The body is too large, must be at most %d bytes.", x.handler.config.maxBody)
}

func tooLarge(format string, args ...any) *apiError {
	return &apiError{
		status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge",
		message: fmt.Sprintf(format, args...),
	}
}

// unreadable is the client's fault, whatever it is: its body is too long, cut off or no gzip.
func (x *request) unreadable(err error) *apiError {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return x.tooLarge()
	}
	return malformed("The body could not be read to its end.")
}

// checkShape finds what the decoder would say less well, or at more expense.
func checkShape(data []byte) error {
	depth, values, quoted, escaped := 0, 0, false, false
	for i, c := range data {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if depth > MaxDepth {
			return malformed("The body is nested too deeply at offset %d, must be at most %d levels.",
				i, MaxDepth)
		}
		if values > MaxValues {
			return malformed("The body has too many members and elements at offset %d, must be at most %d.",
				i, MaxValues)
		}
	}
	switch object := bytes.TrimLeft(data, " \t\r\n"); {
	case len(object) == 0:
		return malformed("The body is empty, must be a JSON object.")
	case object[0] != '{':
		return malformed("The body must be a JSON object.")
	}
	return nil
}

// badJSON says what the decoder found, in the words of JSON.
func badJSON(data []byte, err error) *apiError {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax) && !utf8.Valid(data): // UTF-16, most likely
		return malformed("The body is not a JSON object in UTF-8.")
	case errors.As(err, &syntax):
		return malformed("The body is not a JSON object: %v at offset %d.", syntax, syntax.Offset)
	case errors.As(err, &kind):
		if path := pathAt(data, kind.Offset); path != "" {
			return invalid(path, kind.Value, jsonName(kind.Type))
		}
		fallthrough
	default:
		return malformed("The body is not what is expected.")
	}
}

// jsonName says in the words of JSON what would be decoded into a type of Go's.
func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	default:
		return "an object"
	}
}
