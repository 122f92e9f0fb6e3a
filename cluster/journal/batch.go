package journal

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// A batch is records one after the other: the call, its revision, the size of the record, and the
// record. A size of 0 says that the call owes nothing any more.

// last is the revision of a record that nothing can follow: of a call that another node has told
// the end of.
const last = 1<<64 - 1

// maxEntry is how much a record has in a batch besides itself.
const maxEntry = 16 + 2*binary.MaxVarintLen64

// appendRecord appends a record to a batch; an empty text is that of a call that is over.
func appendRecord(batch []byte, call uuid.UUID, revision uint64, text []byte) []byte {
	batch = append(batch, call[:]...)
	batch = binary.AppendUvarint(batch, revision)
	batch = binary.AppendUvarint(batch, uint64(len(text)))
	return append(batch, text...)
}

// eachRecord calls f with the records of a batch, whose texts are parts of it. It reports whether
// the batch was whole.
func eachRecord(batch []byte, f func(call uuid.UUID, revision uint64, text []byte)) bool {
	for len(batch) > 0 {
		if len(batch) < len(uuid.UUID{}) {
			return false
		}
		call := uuid.UUID(batch[:16])
		batch = batch[16:]
		revision, n := binary.Uvarint(batch)
		if n <= 0 {
			return false
		}
		batch = batch[n:]
		size, n := binary.Uvarint(batch)
		if n <= 0 || size > uint64(len(batch)-n) {
			return false
		}
		f(call, revision, batch[n:n+int(size)]) //nolint:gosec // no larger than the batch
		batch = batch[n+int(size):]             //nolint:gosec // as above
	}
	return true
}
