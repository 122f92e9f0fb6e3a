package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/uuid"

	"ivrqueue/graph"
)

// A record is a line of JSON, what a call owes without its id, which the batch has, and without the
// bodies of its posts; and these, one behind the other, each after its length as a varint. A length
// of 0 says that the body lies elsewhere. In the JSON a body would be in base64, a third longer: so
// it is in records of v0.1.0, which are read, too.

// writeRecord appends the record of what a call owes. Bodies of more than most bytes lie elsewhere.
func writeRecord(to *bytes.Buffer, o *graph.Owed, most int) error {
	small := *o
	small.CallID, small.Posts = uuid.Nil, make([]graph.OwedPost, len(o.Posts))
	for i, p := range o.Posts {
		small.Posts[i] = p
		small.Posts[i].Body = nil
	}
	if err := json.NewEncoder(to).Encode(&small); err != nil { // with a line feed
		return err
	}
	for _, p := range o.Posts {
		body := p.Body
		if len(body) > most {
			body = nil
		}
		to.Write(binary.AppendUvarint(to.AvailableBuffer(), uint64(len(body))))
		to.Write(body)
	}
	return nil
}

// readRecord reads a record.
func readRecord(text string) (o graph.Owed, err error) {
	head, bodies, apart := strings.Cut(text, "\n")
	if err := json.Unmarshal([]byte(head), &o); err != nil || !apart {
		return o, err
	}
	rest := []byte(bodies)
	for i := range o.Posts {
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return o, errors.New("the bodies are cut off")
		}
		end := size + int(n) //nolint:gosec // no more than there is
		o.Posts[i].Body, rest = rest[size:end:end], rest[end:]
	}
	return o, nil
}
