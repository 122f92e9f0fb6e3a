package journal

import (
	"testing"

	"ivrqueue/cluster/callid"
)

// That a call of the last life is over is not written into the slots of the next: it lies in those
// of its own, which have the same numbers.
func TestALifeHasNothingOfTheLast(t *testing.T) {
	t.Parallel()
	w := &writer{epoch: 8, slots: newSlots(0)}
	ended := &state{id: callid.New(callid.Owner{Node: callid.Of("a"), Epoch: 7}), written: 3}
	if data, fits := w.add(new(batch), nil, ended); !fits || len(data) > 0 {
		t.Errorf("%d bytes are written of it", len(data))
	}
	ended.id = callid.New(callid.Owner{Node: callid.Of("a"), Epoch: 8})
	if data, _ := w.add(new(batch), nil, ended); len(data) == 0 {
		t.Error("nothing is written of a call of this life")
	}
}
