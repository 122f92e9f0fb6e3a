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
)

// maxDepth is how deep a body may be nested. A call's targets need six levels.
const maxDepth = 64

// decode reads the body, a JSON object, into v. Members that v does not know are ignored, null is
// as absent, and of a member that comes twice the last one counts, as clients and their servers
// have grown used to.
func (x *exchange) decode(v any) error {
	data, err := x.body()
	if err != nil {
		return err
	}
	if err := checkShape(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return badJSON(err)
	}
	return nil
}

// body reads the body, and inflates it, up to the limit.
func (x *exchange) body() ([]byte, error) {
	unsupported := func(format string, args ...any) *problem {
		return &problem{
			status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaType",
			message: fmt.Sprintf(format, args...), header: [2]string{"Accept-Encoding", "gzip"},
		}
	}
	contentType := x.r.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != "application/json" {
		return nil, unsupported("Content-Type is %.80q, must be application/json.", contentType)
	}
	limit := x.handler.config.maxBody
	var in io.Reader = http.MaxBytesReader(x.w, x.r.Body, limit)
	switch coding := x.r.Header.Get("Content-Encoding"); strings.ToLower(coding) {
	case "", "identity":
	case "gzip", "x-gzip":
		inflated, err := gzip.NewReader(in)
		if err != nil {
			return nil, x.unreadable(err)
		}
		in = inflated
	default:
		return nil, unsupported("Content-Encoding is %.80q, must be gzip or none.", coding)
	}
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	switch {
	case err != nil:
		return nil, x.unreadable(err)
	case int64(len(data)) > limit:
		return nil, x.tooLarge()
	}
	return data, nil
}

func (x *exchange) tooLarge() *problem {
	return &problem{
		status: http.StatusRequestEntityTooLarge, code: "RequestEntityTooLarge",
		message: fmt.Sprintf("The body is too large, must be at most %d bytes.",
			x.handler.config.maxBody),
	}
}

// unreadable is the client's fault, whatever it is: its body is too long, cut off or no gzip.
func (x *exchange) unreadable(err error) *problem {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return x.tooLarge()
	}
	return malformed("The body could not be read to its end.")
}

// checkShape finds what the decoder would say less well, or at more expense.
func checkShape(data []byte) error {
	depth, quoted, escaped := 0, false, false
	for i, c := range data {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return malformed("The body is nested too deeply at offset %d, must be at most %d levels.",
					i, maxDepth)
			}
		case c == '}' || c == ']':
			depth--
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
func badJSON(err error) *problem {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return malformed("The body is not a JSON object: %v at offset %d.", syntax, syntax.Offset)
	case errors.As(err, &kind) && kind.Field == "":
		return malformed("The body is %s, must be a JSON object.", kind.Value)
	case errors.As(err, &kind):
		return invalid(kind.Field, kind.Value, jsonName(kind.Type))
	default:
		return malformed("The body is not what is expected.")
	}
}

func jsonName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number of 32 bits"
	case reflect.Slice, reflect.Array:
		return "an array"
	default:
		return "an object"
	}
}
