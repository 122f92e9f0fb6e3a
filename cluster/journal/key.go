package journal

import (
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// key is where a batch of records lies, or a body.
type key struct {
	node  string // of the calls
	epoch uint32

	writer string // of a batch: the node that wrote it; empty of a body
	slot   uint32

	call, post uuid.UUID // of a body
}

// batchPart is in the keys of batches where those of bodies have the call.
const batchPart = "batch"

// String writes the key as the bucket has it.
func (k key) String() string {
	s := k.prefix()
	if k.writer != "" {
		return s + batchPart + "." + k.writer + "." + strconv.FormatUint(uint64(k.slot), 10)
	}
	return s + hex.EncodeToString(k.call[:]) + "." + hex.EncodeToString(k.post[:])
}

// prefix is what all keys of a life begin with.
func (k key) prefix() string {
	return k.node + "." + strconv.FormatUint(uint64(k.epoch), 10) + "."
}

var errNoKey = errors.New("journal: not a key of ours")

// parseKey reads what String writes.
func parseKey(s string) (key, error) {
	parts := strings.Split(s, ".")
	if len(parts) < 4 || len(parts) > 5 || parts[0] == "" {
		return key{}, errNoKey
	}
	epoch, err := strconv.ParseUint(parts[1], 10, 32)
	if err != nil || epoch == 0 {
		return key{}, errNoKey
	}
	k := key{node: parts[0], epoch: uint32(epoch)} //nolint:gosec // it was parsed as one
	if len(parts) == 4 {
		if !parseHex(parts[2], &k.call) || !parseHex(parts[3], &k.post) {
			return key{}, errNoKey
		}
		return k, nil
	}
	slot, err := strconv.ParseUint(parts[4], 10, 32)
	if err != nil || parts[2] != batchPart || parts[3] == "" {
		return key{}, errNoKey
	}
	k.writer, k.slot = parts[3], uint32(slot) //nolint:gosec // it was parsed as one
	return k, nil
}

func parseHex(s string, to *uuid.UUID) bool {
	if len(s) != 2*len(to) {
		return false
	}
	_, err := hex.Decode(to[:], []byte(s))
	return err == nil
}
