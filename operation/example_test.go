package operation_test

import (
	"errors"
	"fmt"
	"time"

	"ivrqueue/operation"
	"ivrqueue/tone"
)

// A bad request is an error that names the field, the value and the limit.
func ExampleRecordResponse_Validate() {
	stop, err := tone.ParseSet("#")
	if err != nil {
		fmt.Println(err)
	}
	record := &operation.RecordResponse{StopTones: stop, MaxDuration: 3 * time.Minute}
	fmt.Println(record.Validate())
	// Output: operation: maxDuration is 3m0s, must be 1s to 2m0s, or zero for 5s
}

// A reason is a row of the table of results, and an error.
func ExampleReason() {
	why := operation.BargedIn
	fmt.Println(why.Status(), why.Code(), why.Subcode(), why.Message())
	fmt.Println(why.CompletionReason(operation.KindPlayPrompt))
	fmt.Println(errors.Is(why, operation.Cancelled))
	// Output:
	// failed 400 8508 Action failed, the operation was cancelled.
	// mediaOperationCanceled
	// true
}

// The lifecycle is a looplab/fsm machine of which anyone may have a copy.
func ExampleNewMachine() {
	m := operation.NewMachine()
	fmt.Println(m.Current(), m.Can("start"), m.Can("complete"))
	_, err := operation.Completed.After(operation.Start)
	fmt.Println(err)
	// Output:
	// notStarted true false
	// operation: no start from completed
}
