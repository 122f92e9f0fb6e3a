package operation_test

import (
	"testing"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

func TestAReasonOfDigitsHasTheNumbersOfAnOperations(t *testing.T) {
	t.Parallel()
	n := 0
	for r := tone.Reason(1); r.Valid(); r++ {
		n++
		of := operation.ReasonOfDigits(r)
		if of.Code() != r.Code() || of.Subcode() != r.Subcode() || of.Message() != r.Message() ||
			(of.Status() == operation.Completed) != r.Completed() {
			t.Errorf("%v became %v", r, of)
		}
	}
	if n != 9 || operation.ReasonOfDigits(0) != operation.Unspecified ||
		operation.ReasonOfDigits(tone.Reason(n+1)) != operation.Unspecified {
		t.Errorf("%d reasons; or what is none became one", n)
	}
}
